package dev.arraywright.hardware.numa

import dev.arraywright.hardware.tree.SystemTree

/**
 * A NUMA node as it was when the topology was read.
 *
 * @property memoryTotal bytes, 0 for a node of CPUs alone
 * @property memoryFree bytes; [NumaTopology.freeMemory] asks anew
 * @property cpus in ascending order, none for a node of memory alone
 * @property pciDevices addresses of the PCI functions that hang on it
 */
public data class NumaNode(
    val id: Int,
    val memoryTotal: Long,
    val memoryFree: Long,
    val cpus: List<Int>,
    val pciDevices: List<String>,
)

/**
 * The online NUMA nodes of a machine that has several, from sysfs. Their ids need not follow one another. Immutable.
 *
 * @property nodes by ascending id
 */
public class NumaTopology private constructor(
    private val sys: SystemTree,
    public val nodes: List<NumaNode>,
    private val distances: Map<Pair<Int, Int>, Int>,
) {
    /** The node with this id, if it is online. */
    public fun node(id: Int): NumaNode? = nodes.firstOrNull { it.id == id }

    /** How far [to]'s memory is from [from], in tenths of a node's way to its own; null if the kernel does not tell. */
    public fun distance(from: Int, to: Int): Int? = distances[from to to]

    /** The other nodes, the nearest to [node] first and among equally near ones the lowest id. */
    public fun nearest(node: Int): List<Int> =
        nodes.map { it.id }.filter { it != node }.sortedWith(compareBy({ distance(node, it) ?: Int.MAX_VALUE }, { it }))

    /** Bytes free on a node now; null if there is no such node. Reads a file. */
    public fun freeMemory(node: Int): Long? = memory(node)?.free

    /** How a node's memory is used at present; null if it has none. */
    internal fun memory(node: Int): NodeMemory? = memory(sys, node).takeIf { it.total > 0 }

    override fun toString(): String = nodes.joinToString {
        "node ${it.id}: ${it.memoryTotal shr 20} MiB, CPUs ${it.cpus}"
    }

    public companion object {
        private const val NODES = "devices/system/node"
        private val name = Regex("node(\\d{1,5})")

        /** This machine's topology; null where it has one node, or does not tell: [absence] says which. */
        public fun of(): NumaTopology? = of(SystemTree.SYS)

        /** Why there is no topology here; null if there is one. */
        public fun absence(): String? = absence(SystemTree.SYS)

        internal fun of(sys: SystemTree): NumaTopology? {
            val online = online(sys)
            if (online.size < 2) return null
            val devices = pciDevices(sys)
            val nodes = online.map { id ->
                val memory = memory(sys, id)
                NumaNode(id, memory.total, memory.free, list(sys, "$NODES/node$id/cpulist"), devices[id].orEmpty())
            }
            return NumaTopology(sys, nodes, distances(sys, online))
        }

        internal fun absence(sys: SystemTree): String? {
            val online = online(sys)
            return when {
                online.size > 1 -> null
                online.size == 1 -> "the machine has one NUMA node"
                else -> sys.why(NODES) ?: "no node is online in ${sys.root}/$NODES"
            }
        }

        private fun memory(sys: SystemTree, node: Int) = NodeMemory.parse(sys.lines("$NODES/node$node/meminfo"))

        /** A node that `online` names but has no directory went away between the two looks. */
        private fun online(sys: SystemTree): List<Int> {
            val present = sys.names(NODES).mapNotNull { name.matchEntire(it)?.groupValues?.get(1)?.toInt() }.sorted()
            val online = sys.text("$NODES/online") ?: return present
            return list(online).filter { it in present }
        }

        /** A node's row has a column for each online node, not for each id. */
        private fun distances(sys: SystemTree, online: List<Int>): Map<Pair<Int, Int>, Int> =
            buildMap {
                for (from in online) {
                    val row = sys.text("$NODES/node$from/distance")?.split(' ')?.map(String::toIntOrNull).orEmpty()
                    if (row.size != online.size) continue
                    online.zip(row).forEach { (to, distance) -> if (distance != null) put(from to to, distance) }
                }
            }

        private fun pciDevices(sys: SystemTree): Map<Int, List<String>> =
            sys.names("bus/pci/devices").groupBy { sys.int("bus/pci/devices/$it/numa_node") ?: -1 }

        private fun list(sys: SystemTree, path: String): List<Int> = sys.text(path)?.let(::list).orEmpty()

        private fun list(text: String): List<Int> =
            try {
                CpuListParser.parse(text)
            } catch (_: CpuListException) {
                emptyList() // not a kernel's file: as good as none
            }
    }
}
