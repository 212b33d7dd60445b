package dev.arraywright.hardware.memory.slab

import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment

/**
 * A page-aligned piece of memory. After [free] it is another's or nobody's; whoever still has a view of it gets an
 * exception as soon as the mapping that it was in is gone, and never touches memory that is not a slab's.
 */
internal class Slab private constructor(
    val bytes: Long,
    val memory: MemorySegment,
    private val release: () -> Unit,
) {
    /** Gives the memory back to the operating system. */
    fun free() = release()

    companion object {
        /** Over a mapping of its own; [release] is called once it cannot be reached any more. */
        fun over(address: Long, bytes: Long, release: () -> Unit): Slab {
            val arena = Arena.ofShared()
            return Slab(bytes, mapping(address, bytes, arena, release), arena::close)
        }

        /** A part of a larger mapping, which knows by [release] that it is free. */
        fun part(memory: MemorySegment, release: () -> Unit): Slab = Slab(memory.byteSize(), memory, release)

        /** From the JDK's own allocator, which takes from and gives to the C library. */
        fun plain(bytes: Long, alignment: Long): Slab {
            val arena = Arena.ofShared()
            try {
                return Slab(bytes, arena.allocate(bytes, alignment), arena::close)
            } catch (e: Throwable) {
                arena.close()
                throw e
            }
        }

        /** Memory at [address] until [arena] is closed, which calls [release]. */
        fun mapping(address: Long, bytes: Long, arena: Arena, release: () -> Unit): MemorySegment =
            MemorySegment.ofAddress(address).reinterpret(bytes, arena) { release() }
    }
}
