package dev.arraywright.hardware.linux

import com.sun.jna.Native
import com.sun.jna.NativeLibrary

/**
 * The calls of mmap(2) for memory of the process's own, direct-mapped; as with [Posix], failure is -1. To be used only where
 * [LinuxCalls.mappingAbsence] is null.
 */
internal object Mapping {
    init {
        Native.register(Mapping::class.java, NativeLibrary.getInstance("c"))
    }

    @JvmStatic external fun mmap(address: Long, length: Long, access: Int, flags: Int, fd: Int, offset: Long): Long

    @JvmStatic external fun munmap(address: Long, length: Long): Int

    @JvmStatic external fun madvise(address: Long, length: Long, advice: Int): Int

    @JvmStatic external fun getpagesize(): Int

    private const val PROT_READ = 1
    private const val PROT_WRITE = 2
    private const val MAP_PRIVATE = 2
    private const val MAP_ANONYMOUS = 0x20
    private const val MADV_DONTNEED = 4
    private const val MADV_NOHUGEPAGE = 15
    private const val MADV_POPULATE_WRITE = 23

    /** The unit of mapping in bytes: 4 KiB, but 16 or 64 KiB on some arm64 kernels. */
    val pageSize: Long by lazy { getpagesize().toLong() }

    /** [bytes] rounded up to whole pages. */
    fun whole(bytes: Long): Long = (bytes + pageSize - 1) / pageSize * pageSize

    /** Zeroed private memory of whole pages, none of them resident yet; 0 if the kernel refuses. */
    fun map(bytes: Long): Long {
        val address = mmap(0, whole(bytes), PROT_READ or PROT_WRITE, MAP_PRIVATE or MAP_ANONYMOUS, -1, 0)
        return if (address == -1L) 0 else address
    }

    /**
     * Ends a mapping, or a part of one. Where the kernel cannot (it would take one more mapping than a process may
     * have, and neighbours may be one to it), the memory is given back and only the addresses are lost.
     */
    fun unmap(address: Long, bytes: Long) {
        if (munmap(address, whole(bytes)) != 0) drop(address, bytes)
    }

    /** Gives the memory of whole pages back and keeps the addresses: they read as zeroes. */
    fun drop(address: Long, bytes: Long) {
        madvise(address, bytes, MADV_DONTNEED)
    }

    /** Keeps the range in pages of the usual size, so that parts of it can be given back at once. */
    fun keepSmallPages(address: Long, bytes: Long) {
        madvise(address, whole(bytes), MADV_NOHUGEPAGE)
    }

    /** Makes all pages resident in one call; false where the kernel is older than 5.14 or memory is short. */
    fun populate(address: Long, bytes: Long): Boolean = madvise(address, whole(bytes), MADV_POPULATE_WRITE) == 0
}
