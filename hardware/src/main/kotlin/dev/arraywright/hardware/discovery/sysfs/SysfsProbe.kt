package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.discovery.Look
import dev.arraywright.hardware.discovery.Probe
import dev.arraywright.hardware.discovery.Sight
import dev.arraywright.hardware.tree.SwapsParser
import dev.arraywright.hardware.tree.SystemTree
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import java.util.concurrent.atomic.AtomicInteger

/** Looks at Linux' sysfs, and at the mounts and swaps of proc. Holds nothing: each look gives all that it found. */
internal class SysfsProbe(private val sys: SystemTree, private val proc: SystemTree) : Probe {
    override val name: String = "sysfs"

    override suspend fun look(look: Look): Sight {
        val before = look.before as? SysfsSight
        if (look.paths == null || before == null) {
            val nodes = all(look)
            return sight(nodes, nodes.keys, look)
        }
        val read = HashSet<String>()
        return sight(some(look.paths, before.nodes, read, look), read, look)
    }

    /** Only nodes at [read] may be others than before. */
    private fun sight(nodes: Map<String, Node>, read: Collection<String>, look: Look): Sight {
        val before = look.before as? SysfsSight
        val mounts = look.reading("proc") { mounts(before?.mounts) }
        val devices = before?.takeIf { it.mounts === mounts }?.let { Touch(it, nodes).devices(read) }
            ?: Assembly(nodes, mounts, before?.nodes.orEmpty(), look.before.devices).devices()
        return SysfsSight(nodes, mounts, devices)
    }

    private suspend fun all(look: Look): Map<String, Node> {
        val before = (look.before as? SysfsSight)?.nodes.orEmpty()
        val listed = Node.Kind.entries.flatMap { kind ->
            look.reading(kind.listing) { sys.names(kind.listing) }.map { kind to it }
        }
        if (listed.isEmpty()) return emptyMap()
        val reader = NodeReader(sys, holders = false)
        val next = AtomicInteger()
        // more time goes into waiting for calls than into making them; whoever is done first takes the next
        val readers = minOf(READERS, listed.size / SHARE + 1)
        val read = coroutineScope {
            List(readers) { async { nodes(listed, next, reader, before, look) } }.awaitAll()
        }
        return held(read.flatten(), before)
    }

    /** By path, with [Node.over] as it follows from [Node.below]; those that are as before are the same objects. */
    private fun held(nodes: List<Node>, before: Map<String, Node>): Map<String, Node> {
        val over = HashMap<String, MutableList<String>>()
        for (node in nodes) for (member in node.below) over.getOrPut(member, ::ArrayList) += node.name
        val result = HashMap<String, Node>(nodes.size * 2)
        for (node in nodes) {
            val holders = if (node.kind == Node.Kind.BLOCK) over[node.name] else null
            val whole = if (holders == null) node else node.copy(over = holders.sorted())
            result[node.path] = before[node.path]?.takeIf { it == whole } ?: whole
        }
        return result
    }

    private fun nodes(
        listed: List<Pair<Node.Kind, String>>,
        next: AtomicInteger,
        reader: NodeReader,
        before: Map<String, Node>,
        look: Look,
    ): List<Node> {
        val found = ArrayList<Node>(listed.size)
        while (true) {
            val (kind, name) = listed.getOrNull(next.getAndIncrement()) ?: return found
            val path = sys.target("${kind.listing}/$name") ?: continue
            read(path, kind, reader, before, look)?.let(found::add)
        }
    }

    /** All of [before] but for those now [read]. */
    private fun some(
        paths: Set<String>,
        before: Map<String, Node>,
        read: MutableSet<String>,
        look: Look,
    ): Map<String, Node> {
        val reader = NodeReader(sys, holders = true)
        val nodes = HashMap(before)

        fun renew(path: String): Node? {
            if (!read.add(path)) return nodes[path]
            val kind = before[path]?.kind ?: Node.Kind.of(sys.linkName("$path/subsystem"))
            val seen = kind?.let { read(path, it, reader, before, look) }
            val node = before[path]?.takeIf { it == seen } ?: seen
            if (node != null) nodes[path] = node else nodes.remove(path)
            return node
        }
        for (path in paths) {
            val old = before[path]
            val new = renew(path)
            val below = "$path/"
            val inside = if (new != null && new.kind != Node.Kind.BLOCK)
                emptyList()
            else
                before.keys.filter { it.startsWith(below) }
            val names = listOfNotNull(old, new).flatMap { it.below + it.over }.distinct()
            val disk = path.substringBeforeLast('/').takeIf { new?.part != null || old?.part != null }
            for (relative in inside + names.mapNotNull { block(it, before) } + listOfNotNull(disk)) renew(relative)
        }
        return nodes
    }

    private fun read(path: String, kind: Node.Kind, reader: NodeReader, before: Map<String, Node>, look: Look): Node? {
        if (path in look.skipped) return before[path]
        return look.reading(path) { reader.read(path, kind) }
    }

    /** Where the block device of a name is, or was. */
    private fun block(name: String, before: Map<String, Node>): String? =
        sys.target("${Node.Kind.BLOCK.listing}/$name")
            ?: before.values.find { it.kind == Node.Kind.BLOCK && it.name == name }?.path

    /** The same as [before] if nothing was mounted meanwhile. */
    private fun mounts(before: MountTable?): MountTable {
        val pools = sys.names("fs/btrfs").map { sys.names("fs/btrfs/$it/devices") }.filter { it.size > 1 }
        val swaps = SwapsParser.parse(proc.raw("swaps").orEmpty())
        val facts = MountFacts(proc.raw("self/mountinfo").orEmpty(), swaps, pools)
        return before?.takeIf { it.facts == facts } ?: MountTable(facts)
    }

    internal companion object {
        /** Of one look, at the same time. */
        const val READERS: Int = 2

        /** Devices that are not worth another reader. */
        private const val SHARE = 64
    }
}

/** What a [SysfsProbe] saw: [nodes] by path. */
internal class SysfsSight(
    val nodes: Map<String, Node>,
    val mounts: MountTable,
    devices: Map<DeviceId, HardwareDevice>,
) : Sight(devices)
