package dev.arraywright.hardware.linux

import com.sun.jna.Library
import com.sun.jna.Native
import com.sun.jna.NativeLibrary

/**
 * The calls of the C library that the devices need, direct-mapped (77 ns a call). Pointers are passed as addresses, so
 * 64-bit Linux only. `open`, `fcntl` and `ioctl` are variadic in C; on the 64-bit Linux ABIs a variadic integer travels
 * as a fixed one does.
 *
 * A return of -1 means failure, and [errno] right after it on the same thread says which.
 */
internal object Posix {
    init {
        val utf8 = mapOf(Library.OPTION_STRING_ENCODING to "UTF-8")
        Native.register(Posix::class.java, NativeLibrary.getInstance("c", utf8))
    }

    @JvmStatic external fun open(path: String, flags: Int, mode: Int): Int

    @JvmStatic external fun close(fd: Int): Int

    @JvmStatic external fun read(fd: Int, address: Long, count: Long): Long

    @JvmStatic external fun write(fd: Int, address: Long, count: Long): Long

    @JvmStatic external fun pread(fd: Int, address: Long, count: Long, offset: Long): Long

    @JvmStatic external fun pwrite(fd: Int, address: Long, count: Long, offset: Long): Long

    @JvmStatic external fun fsync(fd: Int): Int

    @JvmStatic external fun fdatasync(fd: Int): Int

    @JvmStatic external fun ftruncate(fd: Int, length: Long): Int

    @JvmStatic external fun fallocate(fd: Int, mode: Int, offset: Long, length: Long): Int

    @JvmStatic external fun lseek(fd: Int, offset: Long, whence: Int): Long

    @JvmStatic external fun flock(fd: Int, operation: Int): Int

    @JvmStatic external fun ioctl(fd: Int, request: Long, argument: Long): Int

    @JvmStatic external fun statx(directory: Int, path: String, flags: Int, mask: Int, result: Long): Int

    @JvmStatic external fun fstatfs(fd: Int, result: Long): Int

    @JvmStatic external fun strerror(errno: Int): String

    fun errno(): Int = Native.getLastError()

    const val O_RDONLY: Int = 0
    const val O_RDWR: Int = 2
    const val O_CREAT: Int = 0x40
    const val O_EXCL: Int = 0x80
    const val O_CLOEXEC: Int = 0x80000

    /** Differs by architecture: asm/fcntl.h. */
    val O_DIRECT: Int =
        when (System.getProperty("os.arch")) {
            "aarch64", "arm64" -> 0x10000
            "ppc64", "ppc64le" -> 0x20000
            else -> 0x4000
        }

    const val LOCK_SH: Int = 1
    const val LOCK_EX: Int = 2
    const val LOCK_NB: Int = 4

    const val SEEK_END: Int = 2
    const val SEEK_DATA: Int = 3
    const val SEEK_HOLE: Int = 4

    const val FALLOC_FL_KEEP_SIZE: Int = 1
    const val FALLOC_FL_PUNCH_HOLE: Int = 2
    const val FALLOC_FL_ZERO_RANGE: Int = 0x10
}
