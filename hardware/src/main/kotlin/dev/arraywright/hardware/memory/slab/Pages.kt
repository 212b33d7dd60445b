package dev.arraywright.hardware.memory.slab

import dev.arraywright.hardware.linux.LinuxCalls
import dev.arraywright.hardware.linux.Mapping

/** Where slabs come from: whole pages of the operating system. Thread-safe. */
internal interface Pages {
    /** Why there are none; null if there are. */
    val absence: String?

    /** Bytes in a page. */
    val size: Long

    /** The address of zeroed memory, none of it resident yet, which is dropped [inParts] or not; 0 if there is none. */
    fun map(bytes: Long, inParts: Boolean): Long

    fun unmap(address: Long, bytes: Long)

    /** Gives the memory of whole pages back, but keeps the addresses. */
    fun drop(address: Long, bytes: Long)
}

/** Linux's. */
internal object LinuxPages : Pages {
    /** From here on, memory is worth huge pages, and what one holds is given back as a whole. */
    private const val HUGE = 2L shl 20

    override val absence: String? get() = LinuxCalls.mappingAbsence

    override val size: Long get() = Mapping.pageSize

    override fun map(bytes: Long, inParts: Boolean): Long =
        Mapping.map(bytes).also { if (it != 0L && (inParts || bytes < HUGE)) Mapping.keepSmallPages(it, bytes) }

    override fun unmap(address: Long, bytes: Long) = Mapping.unmap(address, bytes)

    override fun drop(address: Long, bytes: Long) = Mapping.drop(address, bytes)
}
