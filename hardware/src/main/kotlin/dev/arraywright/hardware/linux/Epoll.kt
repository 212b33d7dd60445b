package dev.arraywright.hardware.linux

import com.sun.jna.Native
import com.sun.jna.NativeLibrary

/** The calls of epoll(7) and eventfd(2), direct-mapped; as with [Posix], -1 means failure. */
@Suppress("ktlint:standard:function-naming")
internal object Epoll {
    init {
        Native.register(Epoll::class.java, NativeLibrary.getInstance("c"))
    }

    @JvmStatic external fun epoll_create1(flags: Int): Int

    @JvmStatic external fun epoll_ctl(epoll: Int, operation: Int, fd: Int, event: Long): Int

    @JvmStatic external fun epoll_wait(epoll: Int, events: Long, count: Int, milliseconds: Int): Int

    @JvmStatic external fun eventfd(initial: Int, flags: Int): Int

    const val EPOLL_CLOEXEC: Int = 0x80000
    const val EPOLL_CTL_ADD: Int = 1
    const val EPOLL_CTL_DEL: Int = 2
    const val EFD_CLOEXEC: Int = 0x80000
    const val EFD_NONBLOCK: Int = 0x800

    const val EPOLLIN: Int = 0x001

    /** Exceptional: a pressure trigger fired, a cgroup's events changed. */
    const val EPOLLPRI: Int = 0x002
    const val EPOLLERR: Int = 0x008
    const val EPOLLHUP: Int = 0x010
    const val EPOLLET: Int = 1 shl 31

    /** `struct epoll_event` is packed on x86-64 alone: u32 events, then u64 data. */
    private val packed = System.getProperty("os.arch") in setOf("amd64", "x86_64")
    val EVENT_SIZE: Long = if (packed) 12 else 16
    val EVENT_DATA: Long = if (packed) 4 else 8
}
