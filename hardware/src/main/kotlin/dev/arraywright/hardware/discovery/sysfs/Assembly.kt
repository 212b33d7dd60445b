package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.DeviceId.Kind
import dev.arraywright.hardware.discovery.DeviceNames
import dev.arraywright.hardware.discovery.HardwareDevice
import java.util.IdentityHashMap

/** Puts device directories in relation: ids, parents, holders, and who uses what. Depends on nothing but its input. */
internal class Assembly(
    private val nodes: Map<String, Node>,
    private val mounts: MountTable,
    private val before: Map<DeviceId, HardwareDevice>,
) {
    // the first attached first, so that a device keeps the id which a later one claims as well
    private val ordered = nodes.values.sortedWith(compareBy({ it.sequence ?: Long.MAX_VALUE }, { it.path }))
    private val blocks = ordered.filter { it.kind == Node.Kind.BLOCK }
    private val byName = blocks.associateBy { it.name }
    private val byFile = HashMap<String, Node>(blocks.size * 2)
    private val parents = IdentityHashMap<Node, Node>()
    private val children = IdentityHashMap<Node, MutableList<Node>>()
    private val members = IdentityHashMap<Node, List<Node>>()
    private val holders = IdentityHashMap<Node, MutableSet<Node>>()
    private val ids = IdentityHashMap<Node, DeviceId>(nodes.size * 2)
    private val uses = IdentityHashMap<Node, Use?>()

    fun devices(): Map<DeviceId, HardwareDevice> {
        relate()
        name()
        val result = HashMap<DeviceId, HardwareDevice>(nodes.size * 2)
        for (node in ordered) {
            val device = device(node)
            val old = before[device.id]
            result[device.id] = if (old == device) old else device
        }
        return result
    }

    private fun relate() {
        for (node in blocks) for (path in MountTable.devicePaths(node)) byFile[path] = node
        for (node in ordered) {
            val parent = parent(node) ?: continue
            parents[node] = parent
            children.getOrPut(parent, ::ArrayList) += node
        }
        for (node in blocks) {
            val below = node.below.mapNotNull(byName::get) + listOfNotNull(node.backingFile?.let(byFile::get))
            for (member in below) holders.getOrPut(member, ::LinkedHashSet) += node
            for (holder in node.over) byName[holder]?.let { holders.getOrPut(node, ::LinkedHashSet) += it }
        }
        for ((member, over) in holders) for (holder in over) members[holder] = members[holder].orEmpty() + member
    }

    private fun parent(node: Node): Node? {
        var path = node.above ?: node.path.substringBeforeLast('/', "")
        while (path.isNotEmpty()) {
            nodes[path]?.let { return it }
            path = path.substringBeforeLast('/', "")
        }
        return null
    }

    private fun name() {
        val taken = HashSet<DeviceId>(nodes.size * 2)
        for (node in ordered) {
            if (node.part == null || parents[node] == null) {
                ids[node] = candidates(node).first(taken::add)
            }
        }
        for (node in ordered) {
            if (node !in ids) {
                val disk = ids.getValue(parents.getValue(node))
                val id = DeviceId(disk.kind, "${disk.value}-part${node.part}")
                ids[node] = sequenceOf(id, DeviceId(Kind.PATH, node.path)).first(taken::add)
            }
        }
    }

    /** Best first; the last one is nobody else's. */
    private fun candidates(node: Node): Sequence<DeviceId> = sequence {
        if (node.wwid != null) yield(DeviceId(Kind.WWN, node.wwid))
        if (node.uuid != null) yield(DeviceId(Kind.SERIAL, node.uuid))
        // a network interface's address can be changed
        if (node.serial != null && node.kind != Node.Kind.NET) {
            yield(DeviceId(Kind.SERIAL, DeviceNames.modelSerial(node.modelId, node.serial)))
        }
        yield(DeviceId(Kind.PATH, node.place))
        yield(DeviceId(Kind.PATH, "${node.place}-${node.name}"))
        yield(DeviceId(Kind.PATH, node.path))
    }

    private fun device(node: Node): HardwareDevice {
        val disk = if (node.part == null) node else parents[node] ?: node
        return HardwareDevice(
            id = ids.getValue(node),
            name = node.name,
            flags = if (disk === node) node.flags else disk.flags + DeviceFlag.PARTITION,
            path = node.file?.let { "/dev/$it" },
            number = node.number,
            size = node.size,
            logicalBlockSize = disk.logicalBlockSize,
            physicalBlockSize = disk.physicalBlockSize,
            model = disk.model,
            serial = disk.serial,
            wwid = disk.wwid,
            firmware = disk.firmware,
            transport = disk.transport,
            rotational = disk.rotational,
            removable = disk.removable,
            readOnly = node.readOnly,
            numaNode = disk.numaNode,
            pciAddress = disk.pciAddress,
            parent = parents[node]?.let(ids::get),
            children = set(children[node]),
            members = set(members[node]),
            holders = set(holders[node]),
            mounts = mounted(node),
            inUse = use(node)?.toString(),
            backingFile = node.backingFile,
            sysPath = node.path,
            sequence = node.sequence,
            incarnation = node.incarnation,
        )
    }

    private fun set(nodes: Collection<Node>?): Set<DeviceId> =
        if (nodes == null) emptySet() else nodes.mapTo(HashSet(nodes.size * 2)) { ids.getValue(it) }

    /** A file system on several devices is told by one of them as its source. */
    private fun mounted(node: Node): List<String> =
        if (node.kind != Node.Kind.BLOCK)
            emptyList()
        else
            mounts.of(node).ifEmpty { mounts.together(node.name).flatMap { byName[it]?.let(mounts::of).orEmpty() } }

    private fun use(node: Node): Use? {
        if (node in uses) return uses[node]
        uses[node] = null // ends a circle, which only a broken tree has
        return (own(node) ?: held(node) ?: inside(node)).also { uses[node] = it }
    }

    private fun own(node: Node): Use? = mounted(node).firstOrNull()?.let {
        Use(if (it == MountTable.SWAP) "in use as swap" else "mounted at $it")
    }

    private fun held(node: Node): Use? {
        val over = holders[node] ?: return null
        return over.firstNotNullOfOrNull { use(it)?.through(it) } ?: Use("part of ${over.first().name}")
    }

    private fun inside(node: Node): Use? = children[node]?.firstNotNullOfOrNull { use(it)?.through(it) }

    /** What a device is used for, and by way of which others, the nearest first. */
    private data class Use(val what: String, val way: List<String> = emptyList()) {
        fun through(node: Node): Use = copy(way = listOf(node.name) + way)

        override fun toString(): String = if (way.isEmpty()) what else "$what through ${way.joinToString(", ")}"
    }
}
