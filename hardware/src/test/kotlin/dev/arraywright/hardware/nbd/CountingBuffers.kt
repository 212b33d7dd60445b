package dev.arraywright.hardware.nbd

import dev.arraywright.spi.memory.BufferAllocator
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** A strict pool: never over its limit, and a lease is filled with junk when it comes back. */
class CountingBuffers(private val limit: Long = 64L shl 20) : BufferAllocator {
    private val lock = ReentrantLock()
    private val freed = lock.newCondition()
    private var out = 0L
    var peak = 0L
        private set

    override fun acquire(size: Int): BufferAllocator.Lease {
        require(size in 1..limit) { "$size of $limit" }
        lock.withLock {
            while (out + size > limit) freed.await()
            return take(size)
        }
    }

    override fun tryAcquire(size: Int): BufferAllocator.Lease? = lock.withLock {
        if (out + size > limit) null else take(size)
    }

    private fun take(size: Int): BufferAllocator.Lease {
        out += size
        peak = maxOf(peak, out)
        val buffer = ByteBuffer.allocateDirect(size)
        val closed = AtomicBoolean()
        return object : BufferAllocator.Lease {
            override fun buffer(): ByteBuffer {
                check(!closed.get()) { "used after it was given back" }
                return buffer
            }

            override fun close() {
                if (!closed.compareAndSet(false, true)) return
                buffer.clear()
                while (buffer.hasRemaining()) buffer.put(0x5a)
                lock.withLock {
                    out -= size
                    freed.signalAll()
                }
            }
        }
    }

    override fun limit(): Long = limit

    override fun inUse(): Long = lock.withLock { out }
}
