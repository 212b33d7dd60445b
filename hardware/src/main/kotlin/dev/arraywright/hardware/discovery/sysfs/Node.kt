package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.DeviceNames

/**
 * One device directory of sysfs as it was read, before it is put in relation with others.
 *
 * @property path below `/sys`, without symbolic links in it
 * @property above the directory of what it is attached to, where that is not above [path]
 * @property file the special file's name below `/dev`
 * @property names what the special file is also called, such as `/dev/mapper/root`
 * @property modelId the model as ids are made of it, without the vendor
 * @property uuid of an array or a mapping
 * @property place where it is attached, as ids are made of it
 * @property below kernel names of the devices it is made of
 * @property over kernel names of the devices made of it
 * @property part its number in the partition table
 */
internal data class Node(
    val path: String,
    val kind: Kind,
    val name: String = path.substringAfterLast('/'),
    val flags: Set<DeviceFlag> = emptySet(),
    val above: String? = null,
    val file: String? = null,
    val names: List<String> = emptyList(),
    val number: String? = null,
    val size: Long = 0,
    val logicalBlockSize: Int? = null,
    val physicalBlockSize: Int? = null,
    val model: String? = null,
    val modelId: String? = model,
    val serial: String? = null,
    val wwid: String? = null,
    val uuid: String? = null,
    val firmware: String? = null,
    val transport: String? = null,
    val rotational: Boolean? = null,
    val removable: Boolean = false,
    val readOnly: Boolean = false,
    val numaNode: Int? = null,
    val pciAddress: String? = null,
    val place: String = name,
    val below: List<String> = emptyList(),
    val over: List<String> = emptyList(),
    val backingFile: String? = null,
    val part: Int? = null,
    val sequence: Long? = null,
    val incarnation: Long = 0,
) {
    @Volatile private var best: DeviceId? = null

    @Volatile private var all: List<String>? = null

    /** Special files by which it may be called; for as long as it stays the same, the same objects. */
    val specials: List<String>
        get() = all ?: (if (file == null) emptyList() else (listOf(file) + names).map { "/dev/$it" }).also { all = it }

    /** The id that it has unless another device claims the same. */
    val id: DeviceId get() = best ?: candidates().first().also { best = it }

    /** Ids, best first; the last one is nobody else's. */
    fun candidates(): List<DeviceId> {
        val result = ArrayList<DeviceId>(4)
        if (wwid != null) result += DeviceId(DeviceId.Kind.WWN, wwid)
        if (uuid != null) result += DeviceId(DeviceId.Kind.SERIAL, uuid)
        // a network interface's address can be changed
        if (serial != null && kind != Kind.NET) {
            result += DeviceId(DeviceId.Kind.SERIAL, DeviceNames.modelSerial(modelId, serial))
        }
        result += DeviceId(DeviceId.Kind.PATH, place)
        result += DeviceId(DeviceId.Kind.PATH, "$place-$name")
        result += DeviceId(DeviceId.Kind.PATH, path)
        return result
    }

    /** Which class of sysfs it is found in; [subsystem] as its uevents have it. */
    enum class Kind(val subsystem: String, val listing: String) {
        PCI("pci", "bus/pci/devices"),
        NVME("nvme", "class/nvme"),
        BLOCK("block", "class/block"),
        NET("net", "class/net"),
        ACCEL("accel", "class/accel"),
        ;

        companion object {
            fun of(subsystem: String?): Kind? = entries.find { it.subsystem == subsystem }
        }
    }
}
