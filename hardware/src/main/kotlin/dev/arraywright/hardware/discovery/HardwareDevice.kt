package dev.arraywright.hardware.discovery

/**
 * One device as it was at the last look at it. Strings that the device does not tell are null, as are sizes that mean
 * nothing for it. Other devices are named by their ids in the same [HardwareMonitor.devices].
 */
public data class HardwareDevice(
    /** Unique, and stable as far as its kind goes. */
    val id: DeviceId,
    /** The kernel's name, which another device may have after the next boot: `sda`, `nvme0`, `0000:3b:00.0`. */
    val name: String,
    /** What it is. */
    val flags: Set<DeviceFlag>,
    /** The special file, such as `/dev/sda`. */
    val path: String? = null,
    /** `major:minor` of the special file. */
    val number: String? = null,
    /** Bytes; 0 where there is no medium, as in a loop device without a file. */
    val size: Long = 0,
    /** The smallest addressable unit in bytes. */
    val logicalBlockSize: Int? = null,
    /** The smallest unit written without reading first, in bytes. */
    val physicalBlockSize: Int? = null,
    /** Vendor and model, as far as they are told. */
    val model: String? = null,
    /** The maker's serial number. */
    val serial: String? = null,
    /** World-wide name, with the scheme it is of: `naa.`, `eui.`, `nvme.`, `t10.`, `uuid.`. */
    val wwid: String? = null,
    /** Firmware revision. */
    val firmware: String? = null,
    /** How it is attached: `pcie`, `tcp`, `sas`, `sata`, `usb`, `virtio` and so on. */
    val transport: String? = null,
    /** Whether it has spinning platters. */
    val rotational: Boolean? = null,
    /** Whether its medium can be taken out. */
    val removable: Boolean = false,
    /** Whether it takes no writes. */
    val readOnly: Boolean = false,
    /** The node it is local to, on a machine with several. */
    val numaNode: Int? = null,
    /** Its own address on a PCI bus, or that of the function it is behind. */
    val pciAddress: String? = null,
    /** What it is attached to or cut from: a partition's disk, a namespace's controller. */
    val parent: DeviceId? = null,
    /** The devices whose [parent] this is. */
    val children: Set<DeviceId> = emptySet(),
    /** The devices that this one is made of: an array's members, a mapping's disks. */
    val members: Set<DeviceId> = emptySet(),
    /** The devices that have this one among their [members]. */
    val holders: Set<DeviceId> = emptySet(),
    /** Where it is mounted, and `swap` if it is used as swap. */
    val mounts: List<String> = emptyList(),
    /** Who uses it, itself or anything on it, for people: `mounted at /data through md127`. */
    val inUse: String? = null,
    /** The file behind a loop device. */
    val backingFile: String? = null,
    /** Below `/sys`, or another system's name for it. */
    val sysPath: String = name,
    /** Counts the media that a block device has had since boot (the kernel's `diskseq`), where that is told. */
    val sequence: Long? = null,
    /** Differs between a device and the one that takes its place under the same id; a number without meaning. */
    val incarnation: Long = 0,
) {
    /** Whether it could be given away: blocks that can be written, none of them used, cut up or missing. */
    val isFree: Boolean
        get() = DeviceFlag.BLOCK in flags && inUse == null && size > 0 && !readOnly &&
            DeviceFlag.OPTICAL !in flags && children.isEmpty() && holders.isEmpty()

    /** Whether it has blocks of its own: it is no part of another device, and not made of others. */
    val isDisk: Boolean get() = DeviceFlag.BLOCK in flags && flags.none { it in DEPENDENT }

    override fun toString(): String = "$name ($id)"

    private companion object {
        val DEPENDENT = setOf(
            DeviceFlag.PARTITION,
            DeviceFlag.LOOP,
            DeviceFlag.ZRAM,
            DeviceFlag.RAM,
            DeviceFlag.MD,
            DeviceFlag.DEVICE_MAPPER,
            DeviceFlag.NBD,
        )
    }
}
