package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceNames
import dev.arraywright.hardware.tree.SystemTree

/** Reads disks and partitions. The kernel's name says which files are worth a try, since each costs its time. */
internal class BlockReader(private val sys: SystemTree, private val numaNode: (DevicePath) -> Int?) {
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
            size = (sys.long("$path/size") ?: 0) * 512,
            readOnly = sys.text("$path/ro") == "1",
            over = sys.names("$path/holders"),
            incarnation = sys.inode(path),
        )
        return if (uevent["DEVTYPE"] == "partition") partition(disk, uevent) else whole(disk, uevent)
    }

    /** What is not told here is its disk's. */
    private fun partition(node: Node, uevent: Map<String, String>): Node =
        node.copy(
            flags = node.flags + DeviceFlag.PARTITION,
            part = uevent["PARTN"]?.toIntOrNull() ?: sys.int("${node.path}/partition") ?: 0,
        )

    private fun whole(node: Node, uevent: Map<String, String>): Node {
        val path = node.path
        val shared = node.copy(
            logicalBlockSize = sys.int("$path/queue/logical_block_size"),
            physicalBlockSize = sys.int("$path/queue/physical_block_size"),
            rotational = sys.text("$path/queue/rotational")?.let { it == "1" },
            removable = sys.text("$path/removable") == "1",
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
        }
    }

    private fun namespace(node: Node): Node {
        val device = "${node.path}/device"
        // a namespace that several controllers may serve is below their subsystem
        val subsystem = node.path.substringBeforeLast('/')
        val above = if (!subsystem.substringAfterLast('/').startsWith("nvme-subsys"))
            null
        else
            sys.names(subsystem).filter { it.startsWith("nvme") && 'n' !in it.drop(4) && 's' !in it.drop(4) }
                .firstNotNullOfOrNull { sys.target("$subsystem/$it") }
        val place = DevicePath(above ?: node.path)
        return node.copy(
            flags = node.flags + DeviceFlag.NVME_NAMESPACE,
            above = above,
            model = sys.text("$device/model"),
            serial = DeviceNames.serial(sys.text("$device/serial")),
            wwid = DeviceNames.wwid(sys.text("${node.path}/wwid")),
            firmware = sys.text("$device/firmware_rev"),
            transport = above?.let { sys.text("$it/transport") } ?: sys.text("$device/transport"),
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place("nvme-" + node.name.substringAfterLast('n')),
        ).let { it.copy(modelId = it.model) }
    }

    private fun stacked(node: Node): Node {
        val path = node.path
        val below = sys.names("$path/slaves")
        if (node.name.startsWith("dm-")) {
            val name = sys.text("$path/dm/name")
            return node.copy(
                flags = node.flags + DeviceFlag.DEVICE_MAPPER,
                below = below,
                names = listOfNotNull(name?.let { "mapper/$it" }),
                model = name,
                uuid = sys.text("$path/dm/uuid")?.let { "dm-uuid-" + DeviceNames.joined(it) },
            )
        }
        return if (!node.name.startsWith("md"))
            node.copy(below = below)
        else
            node.copy(
                flags = node.flags + DeviceFlag.MD,
                below = below,
                model = sys.text("$path/md/level"),
                uuid = sys.text("$path/md/uuid")?.let { "md-uuid-" + DeviceNames.joined(it) },
            )
    }

    private fun attached(node: Node, place: DevicePath): Node {
        val device = "${node.path}/device"
        val scsi = node.name.startsWith("sd") || node.name.startsWith("sr")
        val vendor = if (scsi) sys.text("$device/vendor") else null
        val transport = place.transport
        val name = sys.text("$device/model") ?: if (transport == "mmc") sys.text("$device/name") else null
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
            wwid = DeviceNames.wwid(sys.text(if (scsi) "$device/wwid" else "${node.path}/wwid")),
            firmware = sys.text(if (scsi) "$device/rev" else "$device/firmware_rev"),
            transport = transport,
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place(null),
        )
    }

    private fun serial(node: Node, device: String, scsi: Boolean, place: DevicePath): String? =
        if (!scsi) {
            sys.text("${node.path}/serial") ?: sys.text("$device/serial")
        } else {
            VitalProduct.serial(optional("$device/vpd_pg80")) ?: place.usbDevice()?.let { sys.text("$it/serial") }
        }

    /** Asking first costs less than failing. */
    private fun optional(path: String): ByteArray? = if (sys.exists(path)) sys.bytes(path) else null
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
