package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.discovery.sysfs.Node
import dev.arraywright.hardware.discovery.sysfs.SysfsProbe
import dev.arraywright.hardware.hotplug.Hotplug
import dev.arraywright.hardware.hotplug.LinuxHotplug
import dev.arraywright.hardware.linux.LinuxCalls
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.tree.SystemTree
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import java.nio.file.Path
import kotlin.coroutines.CoroutineContext
import kotlin.io.path.isDirectory
import kotlin.time.TimeSource

/** The subsystems whose uevents a [SysfsProbe] has a use for. */
internal val SUBSYSTEMS: Set<String> = Node.Kind.entries.mapTo(HashSet()) { it.subsystem }

/**
 * Watches this machine. [poller] is the caller's, and null where no native call can be made: then it polls, as it does
 * for any other cause that there are no events.
 */
internal fun HardwareMonitor.Companion.real(
    context: CoroutineContext,
    poller: Poller?,
    pace: MonitorPace = MonitorPace(),
    io: CoroutineDispatcher = lanes(pace),
): HardwareMonitor {
    val probe = probe(SystemTree.SYS, SystemTree.PROC)
    val (hotplug, why) = when {
        probe !is SysfsProbe -> null to "there is no /sys"
        poller == null -> null to (LinuxCalls.absence ?: "nothing waits for descriptors")
        else -> hotplug(poller)
    }
    return HardwareMonitor(context, probe, hotplug, io, TimeSource.Monotonic, pace, why)
}

/**
 * Looks at captured trees, or another machine's, every five seconds: none has events. Without a [sys] there OSHI is
 * asked for this machine's disks.
 */
public fun HardwareMonitor.Companion.of(context: CoroutineContext, sys: Path, proc: Path): HardwareMonitor =
    HardwareMonitor(
        context,
        probe(SystemTree(sys), SystemTree(proc)),
        null,
        lanes(MonitorPace()),
        TimeSource.Monotonic,
        polling = "$sys has no events",
    )

/** Room for the next look's readers beside those of each look that may hang. */
private fun lanes(pace: MonitorPace): CoroutineDispatcher =
    Dispatchers.IO.limitedParallelism((pace.hanging + 1) * SysfsProbe.READERS)

private fun probe(sys: SystemTree, proc: SystemTree): Probe =
    if (sys.root.resolve("class").isDirectory() || sys.root.resolve("block").isDirectory())
        SysfsProbe(sys, proc)
    else
        OshiProbe()

private fun hotplug(poller: Poller): Pair<Hotplug?, String?> =
    try {
        LinuxHotplug(poller, SUBSYSTEMS) to null
    } catch (e: PosixException) {
        null to "no uevents: ${e.message}"
    }
