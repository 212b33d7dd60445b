package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.health.HealthTarget

/** The disks whose health there is to watch: those with blocks of their own, by the id of the device. */
public fun Map<DeviceId, HardwareDevice>.healthTargets(): List<HealthTarget> = values.mapNotNull { it.healthTarget() }

private fun HardwareDevice.healthTarget(): HealthTarget? {
    val file = path
    if (file == null || !isDisk || DeviceFlag.OPTICAL in flags) return null
    val kind = when {
        DeviceFlag.NVME_NAMESPACE in flags -> HealthTarget.Kind.NVME
        DeviceFlag.SATA in flags -> HealthTarget.Kind.ATA
        DeviceFlag.SCSI in flags -> HealthTarget.Kind.SCSI
        else -> HealthTarget.Kind.OTHER
    }
    return HealthTarget(id.toString(), file, kind, name)
}
