package dev.arraywright.hardware.linux

import java.lang.foreign.Arena
import java.lang.foreign.ValueLayout.JAVA_INT
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger

/**
 * An owned file descriptor that any number of threads use at once. After [close] new uses fail with EBADF; the
 * descriptor itself is closed by the last use to return, because its number could be another file's a moment later.
 *
 * Calls that return `Long` return a count, or the negative errno: an I/O error is a value here, not an exception.
 */
internal class Descriptor private constructor(private val fd: Int) : AutoCloseable {
    private val uses = AtomicInteger(1)
    private val closed = AtomicBoolean()

    val isOpen: Boolean get() = !closed.get()

    /** Bytes read, 0 at the end; EAGAIN where there is nothing yet and the descriptor does not block. */
    fun read(address: Long, count: Long): Long = call { Posix.read(fd, address, count) }

    fun write(address: Long, count: Long): Long = call { Posix.write(fd, address, count) }

    /** Any other call on the descriptor's [number][use], with -1 for failure; it stays open meanwhile. */
    fun number(use: (Int) -> Long): Long = call { use(fd) }

    fun pread(address: Long, count: Long, offset: Long): Long = call { Posix.pread(fd, address, count, offset) }

    fun pwrite(address: Long, count: Long, offset: Long): Long = call { Posix.pwrite(fd, address, count, offset) }

    fun fsync(): Long = call { Posix.fsync(fd).toLong() }

    fun fdatasync(): Long = call { Posix.fdatasync(fd).toLong() }

    fun ftruncate(length: Long): Long = call { Posix.ftruncate(fd, length).toLong() }

    fun fallocate(mode: Int, offset: Long, length: Long): Long =
        call { Posix.fallocate(fd, mode, offset, length).toLong() }

    fun lseek(offset: Long, whence: Int): Long = call { Posix.lseek(fd, offset, whence) }

    fun flock(operation: Int): Long = call { Posix.flock(fd, operation).toLong() }

    fun ioctl(request: Long, argument: Long): Long = call { Posix.ioctl(fd, request, argument).toLong() }

    /** The magic number of the file's file system (linux/magic.h), or a negative errno. */
    fun fileSystem(): Long =
        Arena.ofConfined().use { arena ->
            val result = arena.allocate(256, 8)
            val status = call { Posix.fstatfs(fd, result.address()).toLong() }
            if (status < 0) status else result.get(JAVA_INT, 0).toLong() and 0xffff_ffffL
        }

    /** Throws [PosixException]. */
    fun status(): FileStatus {
        if (!enter()) throw PosixException("statx", Errno.EBADF)
        try {
            return FileStatus.of(fd)
        } finally {
            leave()
        }
    }

    override fun close() {
        if (closed.compareAndSet(false, true)) leave()
    }

    private inline fun call(block: () -> Long): Long {
        if (!enter()) return -Errno.EBADF.toLong()
        try {
            while (true) {
                val result = block()
                if (result >= 0) return result
                val errno = Posix.errno()
                if (errno != Errno.EINTR) return -errno.toLong()
            }
        } finally {
            leave()
        }
    }

    private fun enter(): Boolean {
        while (!closed.get()) {
            val now = uses.get()
            if (now > 0 && uses.compareAndSet(now, now + 1)) return true
        }
        return false
    }

    private fun leave() {
        if (uses.decrementAndGet() == 0) Posix.close(fd)
    }

    companion object {
        /** Takes over what [call] returned; throws [PosixException] if that is -1. */
        fun adopt(fd: Int, call: String): Descriptor =
            if (fd >= 0) Descriptor(fd) else throw PosixException(call, Posix.errno())

        /** An eventfd(2) that does not block, with count 0; throws [PosixException]. */
        fun event(): Descriptor = adopt(Epoll.eventfd(0, Epoll.EFD_CLOEXEC or Epoll.EFD_NONBLOCK), "eventfd")

        /** Opens with O_CLOEXEC added; throws [PosixException]. */
        fun open(path: String, flags: Int, mode: Int = 0): Descriptor {
            while (true) {
                val fd = Posix.open(path, flags or Posix.O_CLOEXEC, mode)
                if (fd >= 0) return Descriptor(fd)
                val errno = Posix.errno()
                if (errno != Errno.EINTR) throw PosixException("open", errno)
            }
        }
    }
}

/** Throws what a [Descriptor] call returned as a negative errno. */
internal fun Long.orThrow(call: String): Long = if (this >= 0) this else throw PosixException(call, -toInt())
