package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.discovery.Look
import dev.arraywright.hardware.discovery.Probe
import dev.arraywright.hardware.discovery.Sight
import dev.arraywright.hardware.tree.SystemTree

/** Looks at Linux' sysfs, and at the mounts and swaps of proc. Holds nothing: each look gives all that it found. */
internal class SysfsProbe(private val sys: SystemTree, private val proc: SystemTree) : Probe {
    override val name: String = "sysfs"

    override suspend fun look(look: Look): Sight {
        val before = look.before as? SysfsSight
        val nodes = if (look.paths == null || before == null) all(look) else some(look.paths, before.nodes, look)
        look.at = "proc"
        return SysfsSight(nodes, Assembly(nodes, mounts(), look.before.devices).devices())
    }

    private fun all(look: Look): Map<String, Node> {
        val before = (look.before as? SysfsSight)?.nodes.orEmpty()
        val reader = NodeReader(sys)
        val nodes = HashMap<String, Node>(before.size + 64)
        for (kind in Node.Kind.entries) {
            look.at = kind.listing
            for (name in sys.names(kind.listing)) {
                val path = sys.target("${kind.listing}/$name") ?: continue
                read(path, kind, reader, before, look)?.let { nodes[path] = it }
            }
        }
        return nodes
    }

    private fun some(paths: Set<String>, before: Map<String, Node>, look: Look): Map<String, Node> {
        val reader = NodeReader(sys)
        val nodes = HashMap(before)
        val read = HashSet<String>()

        fun renew(path: String): Node? {
            if (!read.add(path)) return nodes[path]
            val kind = before[path]?.kind ?: Node.Kind.of(sys.linkName("$path/subsystem"))
            val node = kind?.let { read(path, it, reader, before, look) }
            if (node != null) nodes[path] = node else nodes.remove(path)
            return node
        }
        for (path in paths) {
            val old = before[path]
            val new = renew(path)
            val inside = if (new == null || new.kind == Node.Kind.BLOCK) before.keys.filter { it.startsWith("$path/") } else emptyList()
            val names = listOfNotNull(old, new).flatMap { it.below + it.over }.distinct()
            val disk = path.substringBeforeLast('/').takeIf { new?.part != null || old?.part != null }
            for (relative in inside + names.mapNotNull { block(it, before) } + listOfNotNull(disk)) renew(relative)
        }
        return nodes
    }

    private fun read(path: String, kind: Node.Kind, reader: NodeReader, before: Map<String, Node>, look: Look): Node? {
        if (path in look.skipped) return before[path]
        look.at = path
        return reader.read(path, kind)
    }

    /** Where the block device of a name is, or was. */
    private fun block(name: String, before: Map<String, Node>): String? =
        sys.target("${Node.Kind.BLOCK.listing}/$name")
            ?: before.values.find { it.kind == Node.Kind.BLOCK && it.name == name }?.path

    private fun mounts(): MountTable {
        val pools = sys.names("fs/btrfs").map { sys.names("fs/btrfs/$it/devices") }.filter { it.size > 1 }
        return MountTable(proc.lines("self/mountinfo"), proc.lines("swaps"), pools)
    }
}

/** What a [SysfsProbe] saw: [nodes] by path. */
internal class SysfsSight(val nodes: Map<String, Node>, devices: Map<DeviceId, HardwareDevice>) : Sight(devices)
