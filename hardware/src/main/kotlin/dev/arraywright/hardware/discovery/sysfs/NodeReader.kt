package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceNames
import dev.arraywright.hardware.tree.SystemTree
import java.util.concurrent.ConcurrentHashMap

/**
 * Reads device directories, for one look and all its readers: what many devices share is read once. A look at all
 * devices needs no [holders] of each, since holders name their members.
 */
internal class NodeReader(private val sys: SystemTree, holders: Boolean) {
    private val drives = Drives(sys)
    private val blocks = BlockReader(sys, holders, drives, ::numaNode)
    private val numa = ConcurrentHashMap<String, Int>()

    /** Null if there is no such device, or none of interest. */
    fun read(path: String, kind: Node.Kind): Node? {
        val uevent = uevent(path) ?: return null
        return when (kind) {
            Node.Kind.BLOCK -> blocks.read(path, uevent)
            Node.Kind.PCI -> function(path, uevent)
            Node.Kind.NVME -> controller(path, uevent)
            Node.Kind.NET -> network(path)
            Node.Kind.ACCEL -> accelerator(path, uevent)
        }
    }

    /** Its uevent has in capitals what has files of its own as well. */
    private fun function(path: String, uevent: Map<String, String>): Node? {
        val code = uevent["PCI_CLASS"]?.padStart(CLASS_DIGITS, '0')
            ?: sys.attribute("$path/class")?.removePrefix("0x") ?: return null
        val flags = CLASSES[code.take(2)] ?: return null
        val model = uevent["PCI_ID"]?.lowercase() ?: model(path)
        val place = DevicePath(path)
        return Node(
            path = path,
            kind = Node.Kind.PCI,
            flags = flags + setOfNotNull(
                DeviceFlag.PCI,
                DeviceFlag.VIRTIO.takeIf {
                    model?.startsWith("1af4:") == true
                },
            ),
            model = model,
            transport = "pcie",
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place(null),
            incarnation = sys.inode(path),
        )
    }

    private fun model(path: String): String? {
        val vendor = sys.attribute("$path/vendor")?.removePrefix("0x") ?: return null
        return sys.attribute("$path/device")?.removePrefix("0x")?.let { "$vendor:$it" }
    }

    private fun controller(path: String, uevent: Map<String, String>): Node {
        val place = DevicePath(path)
        val drive = drives(path)
        return Node(
            path = path,
            kind = Node.Kind.NVME,
            flags = setOf(DeviceFlag.NVME_CONTROLLER),
            file = uevent["DEVNAME"],
            number = numberIn(uevent),
            model = drive.model,
            modelId = "controller-" + (drive.model ?: "nvme"),
            serial = drive.serial,
            firmware = drive.firmware,
            transport = drive.transport,
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place("nvme"),
            incarnation = sys.inode(path),
        )
    }

    private fun network(path: String): Node? {
        val place = DevicePath(path)
        if (place.isVirtual || !sys.exists("$path/device")) return null
        return Node(
            path = path,
            kind = Node.Kind.NET,
            flags = setOfNotNull(DeviceFlag.NETWORK, DeviceFlag.VIRTIO.takeIf { place.isVirtio }),
            serial = sys.attribute("$path/address"),
            transport = place.transport ?: "pcie".takeIf { place.pciAddress != null },
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place("net-" + (sys.attribute("$path/dev_port") ?: "0")),
            incarnation = sys.inode(path),
        )
    }

    private fun accelerator(path: String, uevent: Map<String, String>): Node {
        val place = DevicePath(path)
        return Node(
            path = path,
            kind = Node.Kind.ACCEL,
            flags = setOf(DeviceFlag.ACCELERATOR),
            file = uevent["DEVNAME"],
            number = numberIn(uevent),
            transport = "pcie".takeIf { place.pciAddress != null },
            numaNode = numaNode(place),
            pciAddress = place.pciAddress,
            place = place.place("accel"),
            incarnation = sys.inode(path),
        )
    }

    private fun numaNode(place: DevicePath): Int? {
        val path = place.pciPath ?: return null
        val node = numa[path] ?: (sys.attribute("$path/numa_node")?.toIntOrNull() ?: -1).also { numa[path] = it }
        return node.takeIf { it >= 0 }
    }

    private fun uevent(path: String): Map<String, String>? {
        val bytes = sys.attributeBytes("$path/uevent") ?: return null
        val result = HashMap<String, String>(8)
        val text = bytes.decodeToString()
        var start = 0
        while (start < text.length) {
            val end = text.indexOf('\n', start).let { if (it < 0) text.length else it }
            val equals = text.indexOf('=', start)
            if (equals in start + 1 until end) result[text.substring(start, equals)] = text.substring(equals + 1, end)
            start = end + 1
        }
        return result
    }

    internal companion object {
        private const val CLASS_DIGITS = 6

        /** The first byte of a PCI class. */
        private val CLASSES = mapOf(
            "01" to setOf(DeviceFlag.STORAGE_CONTROLLER),
            "02" to setOf(DeviceFlag.NETWORK),
            "03" to setOf(DeviceFlag.GPU, DeviceFlag.ACCELERATOR),
            "12" to setOf(DeviceFlag.ACCELERATOR),
        )

        fun numberIn(uevent: Map<String, String>): String? {
            val major = uevent["MAJOR"]?.toIntOrNull() ?: return null
            val minor = uevent["MINOR"]?.toIntOrNull() ?: return null
            return "$major:$minor"
        }
    }
}

/** What NVMe controllers, or subsystems of several, tell of all their namespaces: read once. */
internal class Drives(private val sys: SystemTree) {
    private val known = ConcurrentHashMap<String, Drive>()

    operator fun invoke(path: String): Drive = known[path] ?: read(path).also { known[path] = it }

    private fun read(path: String): Drive =
        Drive(
            sys.attribute("$path/model"),
            DeviceNames.serial(sys.attribute("$path/serial")),
            sys.attribute("$path/firmware_rev"),
            // a subsystem has none
            if (sys.exists("$path/transport")) sys.attribute("$path/transport") else null,
        )

    class Drive(val model: String?, val serial: String?, val firmware: String?, val transport: String?)
}
