package dev.arraywright.hardware.memory.slab

import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment

/**
 * A page-aligned piece of memory with an arena of its own: after [free], whoever still has a view of it gets an
 * exception, and never touches memory that may be another's.
 */
internal class Slab private constructor(val bytes: Long, val memory: MemorySegment, private val arena: Arena) {
    /** Gives the memory back to the operating system. */
    fun free() = arena.close()

    companion object {
        /** Over memory at [address]; [release] is called once it cannot be reached any more. */
        fun over(address: Long, bytes: Long, release: () -> Unit): Slab {
            val arena = Arena.ofShared()
            return Slab(bytes, MemorySegment.ofAddress(address).reinterpret(bytes, arena) { release() }, arena)
        }

        /** From the JDK's own allocator, which takes from and gives to the C library. */
        fun plain(bytes: Long, alignment: Long): Slab {
            val arena = Arena.ofShared()
            try {
                return Slab(bytes, arena.allocate(bytes, alignment), arena)
            } catch (e: Throwable) {
                arena.close()
                throw e
            }
        }
    }
}
