package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice

/** What follows from other devices, and from mounts. */
internal class Relations(
    val id: DeviceId,
    val parent: DeviceId?,
    val children: Set<DeviceId>,
    val members: Set<DeviceId>,
    val holders: Set<DeviceId>,
    val mounts: List<String>,
    val inUse: String?,
) {
    constructor(device: HardwareDevice) : this(
        device.id,
        device.parent,
        device.children,
        device.members,
        device.holders,
        device.mounts,
        device.inUse,
    )
}

/** The device; [disk] is the node itself unless it is a partition. */
internal fun Node.device(disk: Node, relations: Relations): HardwareDevice =
    HardwareDevice(
        id = relations.id,
        name = name,
        flags = if (disk === this) flags else disk.flags + DeviceFlag.PARTITION,
        path = file?.let { "/dev/$it" },
        number = number,
        size = size,
        logicalBlockSize = disk.logicalBlockSize,
        physicalBlockSize = disk.physicalBlockSize,
        model = disk.model,
        serial = disk.serial,
        wwid = disk.wwid,
        firmware = disk.firmware,
        transport = disk.transport,
        rotational = disk.rotational,
        removable = disk.removable,
        readOnly = readOnly,
        numaNode = disk.numaNode,
        pciAddress = disk.pciAddress,
        parent = relations.parent,
        children = relations.children,
        members = relations.members,
        holders = relations.holders,
        mounts = relations.mounts,
        inUse = relations.inUse,
        backingFile = backingFile,
        sysPath = path,
        sequence = sequence,
        incarnation = incarnation,
    )

/**
 * A look that found the same devices in the same relations, such as one whose size has changed: the others need not be
 * put in relation again. Mounts are as [before].
 */
internal class Touch(private val before: SysfsSight, private val nodes: Map<String, Node>) {
    /** Where only nodes at [paths] may be others than before. Null if more has changed than that. */
    fun devices(paths: Collection<String>): Map<DeviceId, HardwareDevice>? {
        if (nodes.size != before.nodes.size) return null
        val touched = HashSet<String>()
        for (path in paths) {
            val (old, new) = before.nodes[path] to nodes[path]
            if (old === new) continue
            if (old == null || new == null || !isAlike(old, new)) return null
            touched += path
        }
        return if (touched.isEmpty()) before.devices else again(touched)
    }

    private fun again(touched: Set<String>): Map<DeviceId, HardwareDevice> {
        val result = HashMap(before.devices)
        for (old in before.devices.values) {
            if (old.sysPath !in touched) continue
            val node = nodes.getValue(old.sysPath)
            val disk = old.parent?.takeIf { node.part != null }?.let { node(it) } ?: node
            result[old.id] = again(old, node, disk)
            for (id in old.children) {
                val part = before.devices.getValue(id)
                node(id).let { if (it.part != null) result[id] = again(part, it, node) }
            }
        }
        return result
    }

    private fun again(old: HardwareDevice, node: Node, disk: Node): HardwareDevice =
        node.device(disk, Relations(old)).let { if (it == old) old else it }

    private fun node(id: DeviceId): Node = nodes.getValue(before.devices.getValue(id).sysPath)

    /** Whether only that differs which no other device and no id depends on. */
    private fun isAlike(a: Node, b: Node): Boolean =
        b == a.copy(
            flags = b.flags,
            size = b.size,
            logicalBlockSize = b.logicalBlockSize,
            physicalBlockSize = b.physicalBlockSize,
            firmware = b.firmware,
            rotational = b.rotational,
            removable = b.removable,
            readOnly = b.readOnly,
            numaNode = b.numaNode,
            incarnation = b.incarnation,
        )
}
