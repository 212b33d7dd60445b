package dev.arraywright.admin.control.machine

import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.discovery.MonitorStatus
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthReport
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.memory.BufferPoolStats
import dev.arraywright.hardware.numa.NumaTopology
import dev.arraywright.hardware.platform.Capability
import dev.arraywright.hardware.platform.Platform
import dev.arraywright.hardware.platform.Verdict

/** [user] is the array of Arraywright that has it. */
internal fun HardwareDevice.toView(user: String? = null, health: HealthView? = null): DeviceView = DeviceView(
    id = id.toString(),
    name = name,
    flags = flags.sorted().map(::word),
    path = path,
    number = number,
    size = size,
    logicalBlockSize = logicalBlockSize,
    physicalBlockSize = physicalBlockSize,
    model = model,
    serial = serial,
    wwid = wwid,
    firmware = firmware,
    transport = transport,
    rotational = rotational,
    removable = removable,
    readOnly = readOnly,
    numaNode = numaNode,
    pciAddress = pciAddress,
    parent = parent?.toString(),
    children = children.map { it.toString() },
    members = members.map { it.toString() },
    holders = holders.map { it.toString() },
    mounts = mounts,
    inUse = inUse ?: user,
    free = isFree && user == null,
    disk = isDisk,
    backingFile = backingFile,
    sysPath = sysPath,
    health = health,
)

internal fun MonitorStatus.toView(): SourceView = SourceView(probe, source, polling, degraded, overflows)

internal fun HealthReport.toView(): HealthView = HealthView(
    id = target.id,
    path = target.path,
    verdict = word(health.status()),
    detail = health.detail(),
    checked = checked?.toString(),
    stale = stale,
    reading = reading?.toView(),
    findings = findings.map { FindingView(word(it.concern), word(it.severity), it.text, it.since.toString()) },
    life = life?.let { LifeView(word(it.basis), it.perDay, it.left.inWholeSeconds) },
    predictedFailure = predictedFailure,
    absent = reasons(absent),
    failed = reasons(failed),
    historyProblem = historyProblem,
)

private fun HealthReading.toView() = ReadingView(
    time = time.toString(),
    sources = sources.sorted().map(::word),
    criticalWarning = criticalWarning?.sorted()?.map(::word),
    temperature = temperature,
    warningTemperature = warningTemperature,
    criticalTemperature = criticalTemperature,
    availableSpare = availableSpare,
    spareThreshold = spareThreshold,
    percentageUsed = percentageUsed,
    mediaErrors = mediaErrors,
    unsafeShutdowns = unsafeShutdowns,
    powerOnHours = powerOnHours,
    bytesRead = bytesRead,
    bytesWritten = bytesWritten,
    passed = passed,
    reallocatedSectors = reallocatedSectors,
    pendingSectors = pendingSectors,
    uncorrectableSectors = uncorrectableSectors,
    ioErrors = ioErrors,
    ioTimeouts = ioTimeouts,
    inFlight = inFlight,
    state = state,
    latencyMicros = latency?.inWholeMicroseconds,
)

internal fun Capability.toView(): CapabilityView = CapabilityView(name, available, details, absence)

internal fun Platform.toView(): PlatformView =
    PlatformView(machine.toView(), runtime.toView(), isVirtualMachine, controlDomain, unread)

private fun Verdict<*>.toView() = ConclusionView(
    word(kind),
    word(confidence),
    evidence.map { EvidenceView(it.source, it.finding, word(it.pointsTo), it.weight) },
)

internal fun BufferPoolStats.toView(): BuffersView = BuffersView(limit, inUse, idle, idleInReserves, waiting)

/** With what has blocks on each node among [devices]. */
internal fun NumaTopology.toView(devices: Collection<HardwareDevice>): NumaView = NumaView(
    nodes.map { node ->
        NodeView(
            node.id,
            node.memoryTotal,
            freeMemory(node.id) ?: node.memoryFree,
            node.cpus,
            nodes.mapNotNull { other -> distance(node.id, other.id)?.let { other.id to it } }.toMap(),
            node.pciDevices,
            devices.filter { it.numaNode == node.id && it.isDisk }.map { it.path ?: it.name }.sorted(),
        )
    },
)

private fun reasons(why: Map<HealthSource, String>) = why.entries.associate { (source, text) -> word(source) to text }

/** `nvme-namespace` for `NVME_NAMESPACE`. */
internal fun word(name: Enum<*>): String = name.name.lowercase().replace('_', '-')
