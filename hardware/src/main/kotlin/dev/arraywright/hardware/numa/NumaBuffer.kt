package dev.arraywright.hardware.numa

import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment

/** Where a [NumaBuffer] was put, measured by what was wished. */
public sealed interface NumaPlacement {
    /** On the node wished for, and seen there. */
    public data object Bound : NumaPlacement

    /** On [node], the nearest one to the wished that had room, and seen there. */
    public data class Fallback(val node: Int, val why: String) : NumaPlacement

    /** Wherever the kernel has it: no node would take it, or none can be told apart. */
    public data class Anywhere(val why: String) : NumaPlacement

    /** Not a mapping of its own: an ordinary off-heap allocation, as nothing could be mapped. */
    public data class Plain(val why: String) : NumaPlacement
}

/**
 * Off-heap memory from [NumaAllocator], page-aligned and zeroed. Thread-safe.
 *
 * @property memory throws if it is used after [close]
 * @property node where its pages were seen; -1 if they are on several nodes, are placed as they are first used, or the
 *   kernel does not tell
 */
public class NumaBuffer internal constructor(
    public val memory: MemorySegment,
    public val node: Int,
    public val placement: NumaPlacement,
    private val arena: Arena,
) : AutoCloseable {
    /** Gives the memory back to the operating system; closing twice does nothing. */
    override fun close() {
        synchronized(arena) {
            if (arena.scope().isAlive) arena.close()
        }
    }

    override fun toString(): String = "${memory.byteSize()} bytes on node $node: $placement"
}
