package dev.arraywright.admin.control.machine

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.health.CriticalWarning
import dev.arraywright.hardware.health.HealthConcern
import dev.arraywright.hardware.health.HealthFinding
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthReport
import dev.arraywright.hardware.health.HealthSeverity
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.LifeBasis
import dev.arraywright.hardware.health.LifeTrend
import dev.arraywright.spi.device.DeviceHealth
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Instant

/** A small machine: a controller with a disk that wears out, which is cut in two, and an empty loop device. */
internal object Scene {
    private val time = Instant.parse("2026-05-04T03:02:01Z")
    private val pci = DeviceId(DeviceId.Kind.PATH, "pci-0000:3b:00.0")
    private val wwn = DeviceId(DeviceId.Kind.WWN, "eui.0025385b71b00a1c")
    private val cut = DeviceId(DeviceId.Kind.WWN, "eui.0025385b71b00a1c-part1")

    val controller = HardwareDevice(
        pci,
        "0000:3b:00.0",
        setOf(DeviceFlag.PCI, DeviceFlag.STORAGE_CONTROLLER, DeviceFlag.NVME_CONTROLLER),
        model = "Example 980",
        numaNode = 1,
        pciAddress = "0000:3b:00.0",
        children = setOf(wwn),
        sysPath = "devices/pci0000:3a/0000:3b:00.0",
    )
    val disk = HardwareDevice(
        wwn,
        "nvme0n1",
        setOf(DeviceFlag.NVME_NAMESPACE, DeviceFlag.BLOCK),
        "/dev/nvme0n1",
        "259:0",
        1L shl 40,
        512,
        4096,
        "Example 980",
        "S64A",
        "eui.0025385b71b00a1c",
        "GXA7",
        "pcie",
        rotational = false,
        numaNode = 1,
        pciAddress = "0000:3b:00.0",
        parent = pci,
        children = setOf(cut),
        sysPath = "devices/pci0000:3a/0000:3b:00.0/nvme/nvme0/nvme0n1",
    )
    val partition = HardwareDevice(
        cut,
        "nvme0n1p1",
        setOf(DeviceFlag.BLOCK, DeviceFlag.PARTITION),
        "/dev/nvme0n1p1",
        "259:1",
        1L shl 39,
        parent = wwn,
    )
    val loop = HardwareDevice(
        DeviceId(DeviceId.Kind.PATH, "loop0"),
        "loop0",
        setOf(DeviceFlag.BLOCK, DeviceFlag.LOOP),
        "/dev/loop0",
        sysPath = "devices/virtual/block/loop0",
    )
    val devices = listOf(controller, disk, partition, loop).associateBy { it.id }

    val report = HealthReport(
        HealthTarget(wwn.toString(), "/dev/nvme0n1", HealthTarget.Kind.NVME, "nvme0n1"),
        HealthReading(
            time,
            setOf(HealthSource.NVME_LOG, HealthSource.KERNEL),
            setOf(CriticalWarning.SPARE_LOW),
            temperature = 41,
            warningTemperature = 75,
            availableSpare = 9,
            spareThreshold = 10,
            percentageUsed = 97,
            mediaErrors = 3,
            unsafeShutdowns = 12,
            powerOnHours = 23456,
            bytesWritten = 5L shl 40,
            reallocatedSectors = 4,
            ioErrors = 0,
            state = "live",
            latency = 2.milliseconds,
        ),
        time,
        DeviceHealth(DeviceHealth.Status.WARNING, "97 % of its life is used"),
        listOf(HealthFinding(HealthConcern.WEAR, HealthSeverity.FAILING, "97 % of its life is used", time)),
        LifeTrend(LifeBasis.PERCENTAGE_USED, 0.25, 12.days),
        mapOf(HealthSource.SMARTCTL to "smartctl is not installed"),
        mapOf(HealthSource.ARRAY to "it was late"),
        "the history is kept in memory only",
    )
}
