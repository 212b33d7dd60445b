package dev.arraywright.lab

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.hardware.numa.NumaAllocator
import dev.arraywright.hardware.numa.NumaBuffer
import dev.arraywright.hardware.numa.NumaTopology
import dev.arraywright.hardware.numa.deviceNumaNode
import java.lang.foreign.MemorySegment
import java.nio.file.Path
import kotlin.io.path.readLines

/**
 * Runs in the guest for [NumaSpec] and prints what it finds. What the project says of memory is printed beside what the
 * kernel says in numa_maps.
 */
internal object NumaProbe {
    private const val MIB = 1L shl 20
    private val allocator = NumaAllocator()

    /** Two drives of node 1 to fill its page cache from, then devices as `name=path`. */
    @JvmStatic
    fun main(arguments: Array<String>) {
        val topology = checkNotNull(NumaTopology.of()) { "no topology: ${NumaTopology.absence()}" }
        topology.nodes.forEach { node ->
            val distances = topology.nodes.map { topology.distance(node.id, it.id) }
            println("NODE ${node.id} cpus=${node.cpus} distances=$distances nearest=${topology.nearest(node.id)}")
            println("FREE ${node.id} ${topology.freeMemory(node.id)!! / MIB} of ${node.memoryTotal / MIB} MiB")
            println("PCI ${node.id} ${node.pciDevices}")
        }
        for (node in 0..1) tell("plain$node", 64 * MIB, node)
        for (node in 0..1) pool(node)
        full(topology)
        Runtime.getRuntime().exec(arrayOf("taskset", "-c", "1", "cat", arguments[0], arguments[1])).run {
            inputStream.use { it.transferTo(java.io.OutputStream.nullOutputStream()) }
            check(waitFor() == 0)
        }
        println("CACHED ${topology.freeMemory(1)!! / MIB} MiB are free on node 1")
        tell("cached", (topology.freeMemory(1)!! / MIB + 128) * MIB, 1)
        arguments.drop(2).forEach { argument ->
            val (name, path) = argument.split('=')
            val found = deviceNumaNode(path)
            println("DEVICE $name node=${found.node} (${found.why})")
        }
    }

    /** More than node 1 has left is to come from node 0. */
    private fun full(topology: NumaTopology) {
        allocator.allocate((topology.freeMemory(1)!! / MIB - 100) * MIB, 1).use {
            println("HELD ${it.placement} ${seen(it.memory)}")
            tell("full", 384 * MIB, 1)
        }
    }

    private fun tell(name: String, size: Long, node: Int): Unit = allocator.allocate(size, node).use { show(name, it) }

    private fun show(name: String, buffer: NumaBuffer) {
        println("BUFFER $name node=${buffer.node} ${buffer.placement} kernel=${seen(buffer.memory)}")
    }

    private fun pool(node: Int) {
        BufferPool(16 * MIB).use { pool ->
            val reserve = checkNotNull(pool.tryReserve(8 * MIB, node))
            for (size in listOf(4096, 1 shl 20)) {
                reserve.acquire(size).use { lease ->
                    for (at in 0 until size step 4096) lease.buffer().put(at, 1)
                    val seen = seen(MemorySegment.ofBuffer(lease.buffer()))
                    println("POOL node=$node size=$size kernel=$seen absence=${reserve.nodeAbsence}")
                }
            }
            reserve.close()
        }
    }

    /** The nodes with pages of the mapping, from lines such as `7f…000 prefer=static:1 anon=256 dirty=256 N1=256`. */
    private fun seen(memory: MemorySegment): List<Int> {
        val mapping = Path.of("/proc/self/numa_maps").readLines()
            .last { it.substringBefore(' ').toULong(16) <= memory.address().toULong() }
        return mapping.split(' ').filter { it.startsWith("N") }.map { it.drop(1).substringBefore('=').toInt() }
    }
}
