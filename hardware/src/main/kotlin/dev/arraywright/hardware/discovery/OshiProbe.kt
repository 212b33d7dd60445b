package dev.arraywright.hardware.discovery

import oshi.SystemInfo
import oshi.hardware.HWDiskStore
import oshi.hardware.HWPartition
import java.io.IOException

/** Looks at disks and partitions through OSHI, on systems that have no sysfs. Each look is a full one. */
internal class OshiProbe(private val disks: () -> List<HWDiskStore> = { SystemInfo().hardware.diskStores }) : Probe {
    override val name: String = "oshi"

    override suspend fun look(look: Look): Sight {
        val found = try {
            look.reading(name, disks)
        } catch (e: LinkageError) {
            throw IOException("OSHI does not work here: $e", e)
        }
        val taken = HashSet<DeviceId>()
        val result = LinkedHashMap<DeviceId, HardwareDevice>()
        for (disk in found.sortedBy { it.name }) {
            for (device in devices(disk, taken)) {
                result[device.id] = look.before.devices[device.id]?.takeIf { it == device } ?: device
            }
        }
        return Sight(result)
    }

    private fun devices(disk: HWDiskStore, taken: MutableSet<DeviceId>): List<HardwareDevice> {
        val serial = DeviceNames.serial(disk.serial)
        val model = told(disk.model)
        val id = listOfNotNull(
            serial?.let { DeviceId(DeviceId.Kind.SERIAL, DeviceNames.modelSerial(model, it)) },
            DeviceId(DeviceId.Kind.PATH, DeviceNames.joined(disk.name)),
        ).firstOrNull(taken::add) ?: return emptyList() // the same disk once more
        val whole = HardwareDevice(
            id = id,
            name = disk.name.substringAfterLast('/'),
            flags = setOf(DeviceFlag.BLOCK),
            path = disk.name,
            size = maxOf(disk.size, 0),
            model = model,
            serial = serial,
            sysPath = disk.name,
        )
        val parts = disk.partitions.sortedBy { it.identification }.mapIndexed {
            i,
            part,
            ->
            partition(whole, part, i + 1)
        }
        val used = parts.firstOrNull { it.inUse != null }
        // a file system may be on the whole disk, which OSHI then shows as a partition of the disk's own name
        return parts + whole.copy(
            children = parts.mapTo(HashSet()) { it.id },
            inUse = used?.let { "${it.inUse} through ${it.name}" },
        )
    }

    private fun partition(disk: HardwareDevice, part: HWPartition, index: Int): HardwareDevice {
        val mount = part.mountPoint.ifBlank { null }
        return disk.copy(
            id = DeviceId(disk.id.kind, "${disk.id.value}-part$index"),
            name = part.name.ifBlank { part.identification }.substringAfterLast('/'),
            flags = disk.flags + DeviceFlag.PARTITION,
            path = part.identification.ifBlank { null },
            number = if (part.major > 0 || part.minor > 0) "${part.major}:${part.minor}" else null,
            size = maxOf(part.size, 0),
            parent = disk.id,
            mounts = listOfNotNull(mount),
            inUse = mount?.let { "mounted at $it" },
            sysPath = "${disk.sysPath}/${part.identification}",
        )
    }

    private fun told(text: String): String? =
        text.trim().takeUnless { it.isEmpty() || it.equals("unknown", ignoreCase = true) }
}
