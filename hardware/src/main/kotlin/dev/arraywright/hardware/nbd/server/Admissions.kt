package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.spi.memory.BufferAllocator
import java.util.concurrent.Semaphore
import kotlin.time.Duration

/**
 * Who may hold how much: requests and payload bytes of each connection, payload bytes of all. A connection over its
 * share waits, and its socket is not read meanwhile.
 */
internal class Admissions(private val limits: NbdLimits, private val buffers: BufferAllocator) {
    private val all = minOf(limits.totalBytes, buffers.limit() / 2)
    private val total = Semaphore((all / UNIT).coerceAtMost(Int.MAX_VALUE.toLong()).toInt(), true)
    private val share = minOf(limits.connectionBytes, all).coerceAtMost(1L shl 30).toInt()

    /** Longest payload that can ever be admitted. */
    val maxPayload: Int =
        if (units(limits.maxPayload).toLong() * UNIT <= share) limits.maxPayload else share.takeHighestOneBit()

    init {
        require(maxPayload >= NbdLimits.MIN_PAYLOAD) {
            "a buffer pool of ${buffers.limit()} bytes is too small to serve from"
        }
    }

    fun forConnection(): Admission = Admission()

    /** A connection's share; [admit] is called by one thread. */
    inner class Admission {
        private val requests = Semaphore(limits.requests)
        private val bytes = Semaphore(share / UNIT)
        private val gate = Any()
        private var waiter: Thread? = null
        private var closed = false

        /**
         * Waits for room.
         *
         * @throws InterruptedException if the connection is closed meanwhile
         */
        fun admit(request: NbdRequest, size: Int): InFlight {
            enter()
            try {
                return take(request, size)
            } finally {
                leave()
            }
        }

        private fun take(request: NbdRequest, size: Int): InFlight {
            val units = units(size)
            requests.acquire()
            try {
                bytes.acquire(units)
                try {
                    total.acquire(units)
                    try {
                        val lease = if (size == 0) null else buffers.acquire(size)
                        return InFlight(request, lease) { release(units) }
                    } catch (e: Throwable) {
                        total.release(units)
                        throw e
                    }
                } catch (e: Throwable) {
                    bytes.release(units)
                    throw e
                }
            } catch (e: Throwable) {
                requests.release()
                throw e
            }
        }

        private fun release(units: Int) {
            total.release(units)
            bytes.release(units)
            requests.release()
        }

        /** Ends a wait. A thread is interrupted only while it waits here, never within a device. */
        fun close() = synchronized(gate) {
            closed = true
            waiter?.interrupt()
        }

        private fun enter() = synchronized(gate) {
            if (closed) throw InterruptedException("the connection is closed")
            waiter = Thread.currentThread()
        }

        private fun leave() = synchronized(gate) {
            waiter = null
            Thread.interrupted()
            Unit
        }
    }

    private companion object {
        const val UNIT = 4096

        /** What a buffer weighs: pools round sizes up to powers of two. */
        fun units(bytes: Int): Int = when {
            bytes == 0 -> 0
            bytes <= UNIT -> 1
            else -> ((bytes - 1).takeHighestOneBit() / (UNIT / 2))
        }
    }
}

/** A moment by which something has to have happened; any thread may ask. */
internal class Deadline {
    /** On the scale of [System.nanoTime]; 0 for none. */
    @Volatile
    private var at = 0L

    fun set(time: Duration) {
        at = if (time.isInfinite()) 0 else (System.nanoTime() + time.inWholeNanoseconds).let { if (it == 0L) 1 else it }
    }

    /** Moves a deadline that is set. */
    fun extend(time: Duration) {
        if (at != 0L) set(time)
    }

    fun clear() {
        at = 0
    }

    fun isPast(): Boolean = at.let { it != 0L && System.nanoTime() - it > 0 }
}
