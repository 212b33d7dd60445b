package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceNames
import dev.arraywright.hardware.tree.SystemTree

/** Reads disks and partitions. The kernel's name says which files are worth a try, since each costs its time. */
internal class BlockReader(
    private val sys: SystemTree,
    private val holders: Boolean,
    private val drives: Drives,
    private val numaNode: (DevicePath) -> Int?,
) {
    /** Null for one of the paths to a multipath namespace, which is no device that could be opened. */
    fun read(path: String, uevent: Map<String, String>): Node? {
        val number = NodeReader.numberIn(uevent) ?: return null
        val name = path.substringAfterLast('/')
        val disk = Node(
            path = path,
            kind = Node.Kind.BLOCK,
            flags = setOf(DeviceFlag.BLOCK),
            file = uevent["DEVNAME"] ?: name.replace('!', '/'),
            number = number,
            // whatever the sectors of the device
            size = (sys.attribute("$path/size")?.toLongOrNull() ?: 0) * 512,
            readOnly = sys.attribute("$path/ro") == "1",
            over = if (holders) sys.names("$path/holders") else emptyList(),
        )
        return if (uevent["DEVTYPE"] == "partition") partition(disk, uevent) else whole(disk, uevent)
    }

    /** What is not told here is its disk's. */
    private fun partition(node: Node, uevent: Map<String, String>): Node =
        node.copy(
            flags = node.flags + DeviceFlag.PARTITION,
            incarnation = sys.inode(node.path),
            part = uevent["PARTN"]?.toIntOrNull() ?: sys.attribute("${node.path}/partition")?.toIntOrNull() ?: 0,
        )

    private fun whole(node: Node, uevent: Map<String, String>): Node {
        val path = node.path
        val shared = node.copy(
            logicalBlockSize = sys.attribute("$path/queue/logical_block_size")?.toIntOrNull(),
            physicalBlockSize = sys.attribute("$path/queue/physical_block_size")?.toIntOrNull(),
            rotational = sys.attribute("$path/queue/rotational")?.let { it == "1" },
            sequence = uevent["DISKSEQ"]?.toLongOrNull(),
        )
        val place = DevicePath(path)
        return when {
            node.name.startsWith("loop") ->
                shared.copy(
                    flags = shared.flags + DeviceFlag.LOOP,
                    backingFile = optional("$path/loop/backing_file")?.decodeToString()?.removeSuffix("\n"),
                )
            node.name.startsWith("zram") -> shared.copy(flags = shared.flags + DeviceFlag.ZRAM)
            node.name.startsWith("ram") -> shared.copy(flags = shared.flags + DeviceFlag.RAM)
            node.name.startsWith("nbd") -> shared.copy(flags = shared.flags + DeviceFlag.NBD, transport = "nbd")
            node.name.startsWith("nvme") -> namespace(shared)
            place.isVirtual -> stacked(shared)
            else -> attached(shared, place)
        }.let { if (it.incarnation != 0L) it else it.copy(incarnation = sys.inode(path)) }
    }

    private fun namespace(node: Node): Node {
        // a namespace that several controllers may serve is below their subsystem
        val subsystem = node.path.substringBeforeLast('/')
        val above = if (!subsystem.substringAfterLast('/').startsWith("nvme-subsys"))
            null
        else
            sys.names(subsystem).filter { it.startsWith("nvme") && 'n' !in it.drop(4) && 's' !in it.drop(4) }
                .firstNotNullOfOrNull { sys.target("$subsystem/$it") }
        val place = DevicePath(above ?: node.path)
        // of whichever it is, this is where its link `device` leads
        val drive = drives(subsystem)
        return node.copy(
            flags = node.flags + DeviceFlag.NVME_NAMESPACE,
            above = above,
            model = drive.model,
            modelId = drive.model,
            serial = drive.serial,
            wwid = DeviceNames.wwid(sys.attribute("${node.path}/wwid")),
            firmware = drive.firmware,
            transport = above?.let { sys.attribute("$it/transport") } ?: drive.transport,
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place("nvme-" + node.name.substringAfterLast('n')),
            incarnation = node.sequence ?: sys.inode(node.path),
        )
    }

    private fun stacked(node: Node): Node {
        val path = node.path
        val below = sys.names("$path/slaves")
        if (node.name.startsWith("dm-")) {
            val name = sys.attribute("$path/dm/name")
            return node.copy(
                flags = node.flags + DeviceFlag.DEVICE_MAPPER,
                below = below,
                names = listOfNotNull(name?.let { "mapper/$it" }),
                model = name,
                uuid = sys.attribute("$path/dm/uuid")?.let { "dm-uuid-" + DeviceNames.joined(it) },
            )
        }
        return if (!node.name.startsWith("md"))
            node.copy(below = below)
        else
            node.copy(
                flags = node.flags + DeviceFlag.MD,
                below = below,
                model = sys.attribute("$path/md/level"),
                uuid = sys.attribute("$path/md/uuid")?.let { "md-uuid-" + DeviceNames.joined(it) },
            )
    }

    private fun attached(node: Node, place: DevicePath): Node {
        val device = "${node.path}/device"
        val scsi = node.name.startsWith("sd") || node.name.startsWith("sr")
        val inquiry = if (scsi) Inquiry.of(sys, device) else null
        val vendor = inquiry?.vendor
        val transport = place.transport
        val name = if (inquiry != null)
            inquiry.model
        else
            sys.attribute("$device/model") ?: if (transport == "mmc") sys.attribute("$device/name") else null
        val removable = inquiry?.removable ?: (sys.attribute("${node.path}/removable") == "1")
        val ata = vendor == "ATA"
        val flags = buildSet {
            addAll(node.flags)
            if (scsi) add(DeviceFlag.SCSI)
            if (node.name.startsWith("sr")) add(DeviceFlag.OPTICAL)
            if (ata || transport == "sata") add(DeviceFlag.SATA)
            if (place.isVirtio) add(DeviceFlag.VIRTIO)
            when (transport) {
                "sas" -> add(DeviceFlag.SAS)
                "usb" -> add(DeviceFlag.USB)
                "mmc" -> add(DeviceFlag.MMC)
            }
        }
        return node.copy(
            flags = flags,
            model = listOfNotNull(vendor.takeUnless { ata }, name).joinToString(" ").ifEmpty { null },
            modelId = name,
            serial = DeviceNames.serial(serial(node, device, scsi, place)),
            wwid = DeviceNames.wwid(sys.attribute(if (scsi) "$device/wwid" else "${node.path}/wwid")),
            firmware = if (inquiry != null) inquiry.revision else sys.attribute("$device/firmware_rev"),
            transport = transport,
            removable = removable,
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place(null),
            // where the medium cannot be changed, what the kernel counts are devices
            incarnation = node.sequence?.takeUnless { removable } ?: 0,
        )
    }

    private fun serial(node: Node, device: String, scsi: Boolean, place: DevicePath): String? =
        if (!scsi) {
            sys.attribute("${node.path}/serial") ?: sys.attribute("$device/serial")
        } else {
            VitalProduct.serial(sys.attributeBytes("$device/vpd_pg80"))
                ?: place.usbDevice()?.let { sys.attribute("$it/serial") }
        }

    /** Asking first costs less than failing. */
    private fun optional(path: String): ByteArray? = if (sys.exists(path)) sys.attributeBytes(path) else null
}

/** What a SCSI device says of itself: one file has all that four others tell. */
internal class Inquiry(val vendor: String?, val model: String?, val revision: String?, val removable: Boolean? = null) {
    companion object {
        private const val END = 36

        fun of(sys: SystemTree, device: String): Inquiry =
            sys.attributeBytes("$device/inquiry")?.let(::parse) ?: Inquiry(
                sys.attribute("$device/vendor"),
                sys.attribute("$device/model"),
                sys.attribute("$device/rev"),
            )

        /**
         * Standard INQUIRY data: removable is the highest bit of byte 1, vendor at 8, model at 16, revision at 32, all
         * with blanks behind. Null if shorter.
         */
        fun parse(data: ByteArray): Inquiry? =
            if (data.size < END)
                null
            else
                Inquiry(text(data, 8, 16), text(data, 16, 32), text(data, 32, END), data[1] < 0)

        private fun text(data: ByteArray, from: Int, to: Int): String? =
            data.decodeToString(from, to).substringBefore('\u0000').trim { it <= ' ' }.ifEmpty { null }
    }
}

/** Vital product data of SCSI: page 0x80, the unit serial number, is `type 0x80 length(2) text`. */
internal object VitalProduct {
    private const val HEADER = 4

    /** Null for what is no such page. */
    fun serial(page: ByteArray?): String? {
        if (page == null || page.size <= HEADER || page[1] != 0x80.toByte()) return null
        val length = (page[2].toInt() and 0xff shl 8) or (page[3].toInt() and 0xff)
        val text = page.decodeToString(HEADER, minOf(page.size, HEADER + length))
        return text.trim { it <= ' ' || it.isISOControl() || it == '\uFFFD' }.ifEmpty { null }
    }
}
