package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.DeviceId.Kind
import dev.arraywright.hardware.discovery.HardwareDevice
import java.util.BitSet

/**
 * Puts device directories in relation: ids, parents, holders, and who uses what. Depends on nothing but its input. A
 * device that is as [before], of a node that is the same object as [was], is told by the same object without more ado.
 */
internal class Assembly(
    private val nodes: Map<String, Node>,
    private val mounts: MountTable,
    private val was: Map<String, Node>,
    private val before: Map<DeviceId, HardwareDevice>,
) {
    // the first attached first, so that a device keeps the id which a later one claims as well
    private val ordered = nodes.values.toTypedArray().apply { sortWith(Attached) }.map(::Place)
    private val byPath = HashMap<String, Place>(ordered.size * 2)
    private val byName = HashMap<String, Place>(ordered.size * 2)
    private val lengths = BitSet()

    fun devices(): Map<DeviceId, HardwareDevice> {
        for (place in ordered) {
            byPath[place.node.path] = place
            lengths.set(place.node.path.length)
            if (place.node.kind == Node.Kind.BLOCK) byName[place.node.name] = place
        }
        relate()
        name()
        val result = HashMap<DeviceId, HardwareDevice>(nodes.size * 2)
        for (place in ordered) result[place.id] = device(place)
        return result
    }

    private fun relate() {
        val byFile = HashMap<String, Place>()
        if (ordered.any { it.node.backingFile?.startsWith("/dev/") == true }) {
            for (place in byName.values) for (path in place.node.specials) byFile[path] = place
        }
        for (place in ordered) {
            val node = place.node
            parent(node)?.let {
                place.parent = it
                it.children.add(place)
            }
            for (name in node.below) byName[name]?.let { hold(it, place) }
            node.backingFile?.let(byFile::get)?.let { hold(it, place) }
            for (name in node.over) byName[name]?.let { hold(place, it) }
        }
    }

    private fun hold(member: Place, holder: Place) {
        if (member.node.kind != Node.Kind.BLOCK || holder.node.kind != Node.Kind.BLOCK) return
        if (member.holders.add(holder)) holder.members.add(member)
    }

    /** The nearest above it; most directories on the way are of no length that any device's has. */
    private fun parent(node: Node): Place? {
        val start = node.above ?: node.path
        var end = if (node.above != null) start.length else start.lastIndexOf('/')
        while (end > 0) {
            if (lengths[end]) byPath[start.substring(0, end)]?.let { return it }
            end = start.lastIndexOf('/', end - 1)
        }
        return null
    }

    private fun name() {
        val taken = HashSet<DeviceId>(nodes.size * 2)
        for (place in ordered) {
            if (place.isPart) continue
            val id = place.node.id
            place.id = if (taken.add(id)) id else place.node.candidates().first(taken::add)
        }
        for (place in ordered) {
            if (!place.isPart) continue
            val disk = checkNotNull(place.parent).id
            val id = DeviceId(disk.kind, "${disk.value}-part${place.node.part}")
            place.id = if (taken.add(id)) id else DeviceId(Kind.PATH, place.node.path).also(taken::add)
        }
    }

    private fun device(place: Place): HardwareDevice {
        val (node, mounted, used) = Triple(place.node, mounted(place.node), use(place)?.toString())
        val disk = if (node.part == null) node else place.parent?.node ?: node
        val old = before[place.id]
        if (old != null && old.sysPath == node.path && isSame(node) && isSame(disk) &&
            old.parent == place.parent?.id && place.isAsBefore(old) && old.mounts == mounted && old.inUse == used
        ) {
            return old
        }
        val device = node.device(
            disk,
            Relations(
                place.id,
                place.parent?.id,
                place.children.ids(),
                place.members.ids(),
                place.holders.ids(),
                mounted,
                used,
            ),
        )
        return if (old == device) old else device
    }

    private fun isSame(node: Node): Boolean = was[node.path] === node

    /** A file system on several devices is told by one of them as its source. */
    private fun mounted(node: Node): List<String> =
        if (node.kind != Node.Kind.BLOCK)
            emptyList()
        else
            mounts.of(node).ifEmpty {
                mounts.together(node.name).flatMap { byName[it]?.node?.let(mounts::of).orEmpty() }
            }

    private fun use(place: Place): Use? {
        if (place.asked) return place.use
        place.asked = true // ends a circle, which only a broken tree has
        place.use = own(place.node) ?: held(place) ?: inside(place)
        return place.use
    }

    private fun own(node: Node): Use? = mounted(node).firstOrNull()?.let {
        Use(if (it == MountTable.SWAP) "in use as swap" else "mounted at $it")
    }

    private fun held(place: Place): Use? {
        val over = place.holders.ifEmpty { return null }
        return over.firstNotNullOfOrNull { use(it)?.through(it.node) } ?: Use("part of ${over.first().node.name}")
    }

    private fun inside(place: Place): Use? = place.children.firstNotNullOfOrNull { use(it)?.through(it.node) }

    /** A node among the others. */
    private class Place(val node: Node) {
        lateinit var id: DeviceId
        var parent: Place? = null
        val children = Places()
        val members = Places()
        val holders = Places()
        var asked = false
        var use: Use? = null

        val isPart: Boolean get() = node.part != null && parent != null

        fun isAsBefore(old: HardwareDevice): Boolean =
            children.are(old.children) && members.are(old.members) && holders.are(old.holders)
    }

    /** None, mostly. */
    private class Places : Iterable<Place> {
        private var all: LinkedHashSet<Place>? = null

        fun add(place: Place): Boolean = (all ?: LinkedHashSet<Place>().also { all = it }).add(place)

        inline fun ifEmpty(then: () -> Places): Places = if (all == null) then() else this

        override fun iterator(): Iterator<Place> = all?.iterator() ?: emptySet<Place>().iterator()

        fun ids(): Set<DeviceId> = all?.let { some -> some.mapTo(HashSet(some.size * 2)) { it.id } } ?: emptySet()

        fun are(ids: Set<DeviceId>): Boolean {
            val some = all ?: return ids.isEmpty()
            return some.size == ids.size && some.all { it.id in ids }
        }
    }

    private object Attached : Comparator<Node> {
        override fun compare(a: Node, b: Node): Int {
            val first = (a.sequence ?: Long.MAX_VALUE).compareTo(b.sequence ?: Long.MAX_VALUE)
            return if (first != 0) first else a.path.compareTo(b.path)
        }
    }

    /** What a device is used for, and by way of which others, the nearest first. */
    private data class Use(val what: String, val way: List<String> = emptyList()) {
        fun through(node: Node): Use = copy(way = listOf(node.name) + way)

        override fun toString(): String = if (way.isEmpty()) what else "$what through ${way.joinToString(", ")}"
    }
}
