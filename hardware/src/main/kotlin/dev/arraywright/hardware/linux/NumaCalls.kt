package dev.arraywright.hardware.linux

import com.sun.jna.Native
import com.sun.jna.NativeLibrary
import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_LONG

/**
 * Where memory lies: mbind(2), get_mempolicy(2) and move_pages(2). The C library has no functions for them (libnuma
 * has), so they go by number. Every call returns 0 or more, or the negative errno: ENOSYS where a number is not known.
 */
internal object NumaCalls {
    init {
        Native.register(NumaCalls::class.java, NativeLibrary.getInstance("c"))
    }

    @JvmStatic
    private external fun syscall(number: Long, a: Long, b: Long, c: Long, d: Long, e: Long, f: Long): Long

    private class Numbers(val mbind: Long, val getMempolicy: Long, val movePages: Long)

    private val numbers: Numbers? =
        when (System.getProperty("os.arch")) {
            "amd64", "x86_64" -> Numbers(237, 239, 279)
            // The generic table of asm-generic/unistd.h.
            "aarch64", "arm64", "riscv64", "loongarch64" -> Numbers(235, 236, 239)
            else -> null
        }

    private const val MPOL_DEFAULT = 0
    private const val MPOL_PREFERRED = 1
    private const val MPOL_F_STATIC_NODES = 1 shl 15
    private const val MPOL_F_NODE = 1L
    private const val MPOL_F_ADDR = 2L
    private const val MPOL_MF_MOVE = 2L

    /** Nodes are 1024 at most (CONFIG_NODES_SHIFT is 10); the kernel wants one bit more counted than it reads. */
    private const val MASK_BITS = 1024L
    private const val BATCH = 512

    /**
     * Pages of the range that become resident from now on come from [node] while it has free ones, else from another.
     * The number stays this node's when the process's set of allowed nodes changes (MPOL_F_STATIC_NODES).
     */
    fun prefer(
        address: Long,
        bytes: Long,
        node: Int,
    ): Int = policy(address, bytes, MPOL_PREFERRED or MPOL_F_STATIC_NODES, node)

    /** Undoes [prefer]. */
    fun forget(address: Long, bytes: Long): Int = policy(address, bytes, MPOL_DEFAULT, null)

    /** The node of the page at [address], which is made resident if it is not. */
    fun nodeOf(address: Long): Int =
        Arena.ofConfined().use { arena ->
            val node = arena.allocate(JAVA_INT)
            val status = call(numbers?.getMempolicy, node.address(), 0, 0, address, MPOL_F_NODE or MPOL_F_ADDR, 0)
            if (status < 0) status else node.get(JAVA_INT, 0)
        }

    /**
     * Moves the resident pages of the range to [node] as far as there is room: the kernel makes room by giving up page
     * cache there, and does not go as far as killing a process. Pages that stay where they were are no failure.
     */
    fun move(address: Long, bytes: Long, node: Int): Int =
        Arena.ofConfined().use { arena ->
            val pages = arena.allocate(JAVA_LONG, BATCH.toLong())
            val nodes = arena.allocate(JAVA_INT, BATCH.toLong()).also { fill(it, node) }
            val status = arena.allocate(JAVA_INT, BATCH.toLong())
            val count = Mapping.whole(bytes) / Mapping.pageSize
            for (first in 0 until count step BATCH.toLong()) {
                val batch = minOf(count - first, BATCH.toLong())
                for (i in 0 until batch) pages.setAtIndex(JAVA_LONG, i, address + (first + i) * Mapping.pageSize)
                val moved = call(
                    numbers?.movePages,
                    0,
                    batch,
                    pages.address(),
                    nodes.address(),
                    status.address(),
                    MPOL_MF_MOVE,
                )
                if (moved < 0) return moved
            }
            0
        }

    private fun fill(nodes: MemorySegment, node: Int) {
        for (i in 0L until BATCH) nodes.setAtIndex(JAVA_INT, i, node)
    }

    private fun policy(address: Long, bytes: Long, mode: Int, node: Int?): Int =
        Arena.ofConfined().use { arena ->
            if (node != null && node !in 0 until MASK_BITS) return -Errno.EINVAL
            val mask = arena.allocate(MASK_BITS / 8, 8)
            if (node != null) mask.setAtIndex(JAVA_LONG, node / 64L, 1L shl node % 64)
            val nodes = if (node == null) 0 else mask.address()
            val bits = if (node == null) 0 else MASK_BITS + 1
            call(numbers?.mbind, address, Mapping.whole(bytes), mode.toLong(), nodes, bits, 0)
        }

    private fun call(number: Long?, a: Long, b: Long, c: Long, d: Long, e: Long, f: Long): Int {
        if (number == null) return -Errno.ENOSYS
        val result = syscall(number, a, b, c, d, e, f)
        return if (result < 0) -Posix.errno() else result.toInt()
    }
}
