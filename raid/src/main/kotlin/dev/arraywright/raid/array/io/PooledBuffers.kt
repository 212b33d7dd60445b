package dev.arraywright.raid.array.io

import dev.arraywright.spi.memory.BufferAllocator
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Semaphore
import java.util.concurrent.atomic.AtomicBoolean

/** Page-aligned direct buffers in sizes of powers of two, kept for reuse; up to [limit] bytes out at once. */
public class PooledBuffers(private val limit: Long) : BufferAllocator {
    private val pages = Semaphore(Math.toIntExact(limit / PAGE))
    private val free = Array(CLASSES) { ConcurrentLinkedQueue<ByteBuffer>() }

    override fun acquire(size: Int): BufferAllocator.Lease {
        pages.acquire(pagesOf(size))
        return Loan(size)
    }

    override fun tryAcquire(size: Int): BufferAllocator.Lease? =
        if (pages.tryAcquire(pagesOf(size))) Loan(size) else null

    override fun limit(): Long = limit

    override fun inUse(): Long = limit - pages.availablePermits().toLong() * PAGE

    private fun pagesOf(size: Int): Int {
        require(size in 1..limit) { "no buffer of $size bytes from a pool of $limit" }
        return 1 shl sizeClass(size)
    }

    private fun sizeClass(size: Int): Int = Int.SIZE_BITS - ((size - 1) / PAGE).countLeadingZeroBits()

    private inner class Loan(size: Int) : BufferAllocator.Lease {
        private val sizeClass = sizeClass(size)
        private val whole = free[sizeClass].poll() ?: allocate(PAGE shl sizeClass)
        private val loan = whole.slice(0, size)
        private val open = AtomicBoolean(true)

        override fun buffer(): ByteBuffer = loan

        override fun close() {
            if (open.compareAndSet(true, false)) {
                free[sizeClass].add(whole)
                pages.release(1 shl sizeClass)
            }
        }
    }

    private companion object {
        const val PAGE = 4096
        const val CLASSES = 20

        fun allocate(size: Int): ByteBuffer = ByteBuffer.allocateDirect(size + PAGE).alignedSlice(PAGE).slice(0, size)
    }
}
