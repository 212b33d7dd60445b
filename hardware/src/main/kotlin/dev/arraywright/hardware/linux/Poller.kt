package dev.arraywright.hardware.linux

import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED
import java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong

/**
 * Waits until descriptors are ready: one daemon thread for all of them, asleep until the kernel wakes it. Thread-safe.
 *
 * Readiness is told once for each change (EPOLLET), so whoever is told reads all that is there.
 */
internal class Poller : AutoCloseable {
    private val epoll = Descriptor.adopt(Epoll.epoll_create1(Epoll.EPOLL_CLOEXEC), "epoll_create1")
    private val handlers = ConcurrentHashMap<Long, (Int) -> Unit>()
    private val keys = AtomicLong(1)
    private val closed = AtomicBoolean()
    private val wake: Descriptor

    init {
        try {
            wake = Descriptor.event()
            add(wake, Epoll.EPOLLIN, WAKE)
        } catch (e: PosixException) {
            epoll.close()
            throw e
        }
        Thread.ofPlatform().daemon().inheritInheritableThreadLocals(false).name("arraywright poller").start(::run)
    }

    /**
     * Calls [ready] on the poller's thread, which it must not block, with the events that are there of [events].
     * Closing the result ends that; the descriptor is the caller's. Throws [PosixException].
     */
    fun watch(descriptor: Descriptor, events: Int, ready: (Int) -> Unit): AutoCloseable {
        val key = keys.getAndIncrement()
        handlers[key] = ready
        try {
            add(descriptor, events or Epoll.EPOLLET, key)
        } catch (e: PosixException) {
            handlers.remove(key)
            throw e
        }
        return AutoCloseable { if (handlers.remove(key) != null) remove(descriptor) }
    }

    /** Ends the thread; nobody is told any more, but for a call that has begun. */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        handlers.clear()
        Arena.ofConfined().use { arena ->
            val one = arena.allocate(8, 8)
            one.set(JAVA_LONG_UNALIGNED, 0, 1)
            wake.write(one.address(), 8)
        }
    }

    private fun add(descriptor: Descriptor, events: Int, key: Long) = Arena.ofConfined().use { arena ->
        val event = arena.allocate(Epoll.EVENT_SIZE, 8)
        event.set(JAVA_INT, 0, events)
        event.set(JAVA_LONG_UNALIGNED, Epoll.EVENT_DATA, key)
        control(Epoll.EPOLL_CTL_ADD, descriptor, event).orThrow("epoll_ctl")
        Unit
    }

    private fun remove(descriptor: Descriptor) {
        // EBADF if it was closed before, which took it out as well.
        control(Epoll.EPOLL_CTL_DEL, descriptor, MemorySegment.NULL)
    }

    private fun control(operation: Int, descriptor: Descriptor, event: MemorySegment): Long {
        var result = -Errno.EBADF.toLong()
        epoll.number { own ->
            result = descriptor.number { fd -> Epoll.epoll_ctl(own, operation, fd, event.address()).toLong() }
            0
        }
        return result
    }

    private fun run() {
        Arena.ofConfined().use { arena ->
            val events = arena.allocate(Epoll.EVENT_SIZE * BATCH, 8)
            while (!closed.get()) {
                val count = epoll.number { Epoll.epoll_wait(it, events.address(), BATCH, -1).toLong() }
                for (i in 0 until count) dispatch(events.asSlice(i * Epoll.EVENT_SIZE, Epoll.EVENT_SIZE))
            }
        }
        epoll.close()
        wake.close()
    }

    private fun dispatch(event: MemorySegment) {
        val handler = handlers[event.get(JAVA_LONG_UNALIGNED, Epoll.EVENT_DATA)] ?: return
        handler(event.get(JAVA_INT_UNALIGNED, 0))
    }

    private companion object {
        const val WAKE = 0L
        const val BATCH = 64
    }
}
