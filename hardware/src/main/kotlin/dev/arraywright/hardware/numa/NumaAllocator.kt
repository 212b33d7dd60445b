package dev.arraywright.hardware.numa

import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.LinuxCalls
import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment

/**
 * Allocates memory on NUMA nodes and says where it came to lie: on the node wished for, else on the nearest one with
 * room, else anywhere, else as an ordinary allocation. Thread-safe.
 *
 * **Why no strict binding.** Under MPOL_BIND a page that its node cannot give is not taken from elsewhere: the kernel
 * kills a process instead, with other nodes empty, and that may be long after the allocation, when a page comes back
 * from swap. A look at the node's free memory before it does not help, as it is over at once. So the policy is
 * MPOL_PREFERRED, which takes the page from another node then, with MPOL_F_STATIC_NODES, so that a change of the
 * process's cpuset does not turn the number into another node's. Placement is made sure of otherwise: a node is tried
 * only if it has room with a margin; all pages are touched at once and asked for their node by get_mempolicy; and those
 * that lie elsewhere, because page cache fills the node, are moved by move_pages, which gives up page cache there but
 * kills nobody. Pages under such a policy are left alone by automatic NUMA balancing.
 */
public class NumaAllocator internal constructor(
    private val topology: NumaTopology?,
    private val absence: String?,
    private val pages: NodePages,
    private val mappable: String?,
) {
    /** For this machine as it is now. */
    public constructor() : this(NumaTopology.of(), NumaTopology.absence(), RealNodePages, LinuxCalls.mappingAbsence)

    /**
     * Memory of [size] bytes, on [preferredNode] if that can be; a node that does not exist is as good as any.
     * The pages of a buffer that is on a node are resident, others may become so as they are used.
     *
     * @throws OutOfMemoryError if there is no memory at all
     */
    public fun allocate(size: Long, preferredNode: Int): NumaBuffer {
        require(size > 0) { "a buffer of $size bytes" }
        if (mappable != null) return plain(size, mappable)
        val address = pages.map(size)
        if (address == 0L) return plain(size, "the kernel would not map $size bytes")
        try {
            val (node, placement) = place(address, size, preferredNode)
            return buffer(address, size, node, placement)
        } catch (e: Throwable) {
            pages.unmap(address, size)
            throw e
        }
    }

    private fun place(address: Long, size: Long, wished: Int): Pair<Int, NumaPlacement> {
        if (topology == null) return -1 to NumaPlacement.Anywhere(absence ?: "the machine has one NUMA node")
        val reasons = ArrayList<String>()
        if (topology.node(wished) == null) reasons += "node $wished is not online"
        var touched = false
        for (node in listOf(wished) + topology.nearest(wished)) {
            if (topology.node(node) == null || lacksRoom(node, size, reasons)) continue
            val refused = -pages.prefer(address, size, node)
            if (refused > 0) {
                reasons += refusal(node, refused)
                if (refused == Errno.EINVAL) continue else break
            }
            val seen = if (touched) moved(address, size, node) else settled(address, size, node)
            touched = true
            if (seen == node) {
                return node to
                    if (node == wished)
                        NumaPlacement.Bound
                    else
                        NumaPlacement.Fallback(
                            node,
                            reasons.joinToString("; "),
                        )
            }
            if (seen < MIXED) {
                return -1 to NumaPlacement.Anywhere(
                    "node $node was asked, but where it is errno ${MIXED - seen} keeps secret",
                )
            }
            reasons += "node $node did not take all of it"
        }
        pages.forget(address, size)
        return (if (touched) seen(address, size) else MIXED) to NumaPlacement.Anywhere(reasons.joinToString("; "))
    }

    private fun lacksRoom(node: Int, size: Long, reasons: MutableList<String>): Boolean {
        val memory = topology?.memory(node)
        if (memory == null) {
            reasons += "node $node has no memory"
            return true
        }
        val room = memory.free + memory.reclaimable - minOf(memory.total / 32, MARGIN)
        if (size <= room) return false
        reasons += "node $node has ${maxOf(room, 0) shr 20} MiB to spare, not ${(size + MIB - 1) shr 20}"
        return true
    }

    private fun settled(address: Long, size: Long, node: Int): Int {
        pages.touch(address, size)
        val seen = seen(address, size)
        return if (seen == node || seen < MIXED) seen else moved(address, size, node)
    }

    private fun moved(address: Long, size: Long, node: Int): Int {
        pages.move(address, size, node)
        return seen(address, size)
    }

    /** The one node of all pages that are asked; [MIXED], or below it by errno. */
    private fun seen(address: Long, size: Long): Int {
        val count = (size + PAGE - 1) / PAGE
        val asked = minOf(count, ASKED)
        var node = MIXED
        for (i in 0 until asked) {
            val page = if (asked < 2) 0 else i * (count - 1) / (asked - 1)
            val here = pages.nodeOf(address + page * PAGE)
            if (here < 0) return MIXED + here
            if (i > 0 && here != node) return MIXED
            node = here
        }
        return node
    }

    private fun buffer(address: Long, size: Long, node: Int, placement: NumaPlacement): NumaBuffer {
        val arena = Arena.ofShared()
        val memory = MemorySegment.ofAddress(address).reinterpret(size, arena) { pages.unmap(address, size) }
        return NumaBuffer(memory, node, placement, arena)
    }

    private fun plain(size: Long, why: String): NumaBuffer {
        val arena = Arena.ofShared()
        try {
            return NumaBuffer(arena.allocate(size, PAGE), -1, NumaPlacement.Plain(why), arena)
        } catch (e: Throwable) {
            arena.close()
            throw e
        }
    }

    private companion object {
        const val MIXED = -1
        const val PAGE = 4096L
        const val MIB = 1L shl 20

        /** Left to the node, beside a thirty-second part of it: what others take while the buffer is being placed. */
        const val MARGIN = 256 * MIB

        /** Pages of a buffer that are asked for their node; evenly spread where there are more. */
        const val ASKED = 256L
    }
}
