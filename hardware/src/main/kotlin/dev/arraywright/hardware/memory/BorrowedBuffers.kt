package dev.arraywright.hardware.memory

import dev.arraywright.spi.memory.BufferAllocator
import java.lang.ref.PhantomReference
import java.nio.ByteBuffer
import java.util.concurrent.Semaphore
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/**
 * One borrower's part of a [pool]: it knows what is out, and gets back what a borrower that is gone never gave back.
 * Thread-safe.
 *
 * Memory that somebody may still write to must not become another's. So [reclaim] takes only buffers that nothing in the
 * process refers to, nor to a slice of them: the rule by which Java frees direct buffers. A thread that hangs in a
 * transfer keeps its buffer out for as long as it hangs.
 *
 * @param most bytes that may be out at once, rounded down to pages; requests beyond wait for the borrower's own
 */
public class BorrowedBuffers(private val pool: BufferPool, most: Long = pool.limit()) : BufferAllocator {
    private val limit = (most.coerceAtMost(pool.limit()) / BufferPool.PAGE * BufferPool.PAGE)
        .coerceIn(BufferPool.PAGE, MOST_PAGES * BufferPool.PAGE)
    private val pages = (limit / BufferPool.PAGE).toInt()
    private val free = Semaphore(pages, true)
    private val lock = ReentrantLock()

    // Guarded by the lock.
    private val out = HashSet<Debt>()
    private var refusal: String? = null

    /** How many buffers are out now; [inUse] are their bytes. */
    public val lent: Int get() = lock.withLock { out.size }

    override fun limit(): Long = limit

    override fun inUse(): Long = lock.withLock { out.sumOf { it.bytes } }

    override fun acquire(size: Int): BufferAllocator.Lease {
        val bytes = weight(size)
        free.acquire(pagesOf(bytes))
        return checkNotNull(lend(bytes) { pool.acquire(size) })
    }

    override fun tryAcquire(size: Int): BufferAllocator.Lease? {
        val bytes = weight(size)
        return if (free.tryAcquire(pagesOf(bytes))) lend(bytes) { pool.tryAcquire(size) } else null
    }

    /**
     * Nothing is lent any more: requests, and those that wait for a buffer of this borrower's, fail with
     * [IllegalStateException] and [why]; those that wait for the pool do so when it is their turn. What is out stays.
     */
    public fun refuse(why: String) {
        val first = lock.withLock { (refusal == null).also { if (it) refusal = why } }
        // Enough for the one that waits first, which hands it on when it is refused.
        if (first) free.release(pages)
    }

    /**
     * Gives back to the pool what is out and nothing refers to any more, as of the latest garbage collection; how many
     * buffers. For a borrower of which nothing is left: a memory segment made of a buffer is no reference to it.
     */
    public fun reclaim(): Int {
        val lost = lock.withLock { out.filter { it.refersTo(null) }.also { out.removeAll(it.toSet()) } }
        lost.forEach(::settle)
        return lost.size
    }

    private fun weight(size: Int): Long {
        require(size in 1..limit) { "a buffer of $size bytes, where $limit may be out" }
        return pool.weight(size).also { require(it <= limit) { "a buffer of $size bytes counts as $it, of $limit" } }
    }

    private fun pagesOf(bytes: Long) = (bytes / BufferPool.PAGE).toInt()

    /** The pages are taken already, and given back if nothing comes of it. */
    private inline fun lend(bytes: Long, take: () -> BufferAllocator.Lease?): BufferAllocator.Lease? {
        var pooled: BufferAllocator.Lease? = null
        var lease: BufferAllocator.Lease? = null
        try {
            lock.withLock { requireOpen() }
            pooled = asOurs(take)
            if (pooled != null) {
                val debt = Debt(pooled.buffer(), BufferPool.returnOf(pooled), bytes)
                lock.withLock {
                    requireOpen()
                    out += debt
                }
                lease = Loan(pooled.buffer(), debt)
            }
            return lease
        } finally {
            if (lease == null) {
                pooled?.close()
                free.release(pagesOf(bytes))
            }
        }
    }

    private fun requireOpen() {
        refusal?.let { throw IllegalStateException(it) }
    }

    private fun settle(debt: Debt) {
        asOurs(debt.giveBack::close)
        free.release(pagesOf(debt.bytes))
    }

    /**
     * Work of the pool's on a borrower's thread, without the borrower's context class loader: a thread that is started
     * on the way, as JNA does for what it cleans up, would inherit that and keep the borrower in memory.
     */
    private inline fun <T> asOurs(work: () -> T): T {
        val thread = Thread.currentThread()
        val theirs = thread.contextClassLoader
        thread.contextClassLoader = javaClass.classLoader
        try {
            return work()
        } finally {
            thread.contextClassLoader = theirs
        }
    }

    /** What is kept of a buffer here; its borrower alone refers to the buffer. */
    private class Debt(buffer: ByteBuffer, val giveBack: AutoCloseable, val bytes: Long) :
        PhantomReference<ByteBuffer>(buffer, null)

    private inner class Loan(private val buffer: ByteBuffer, private val debt: Debt) : BufferAllocator.Lease {
        override fun buffer(): ByteBuffer = buffer

        override fun close() {
            if (lock.withLock { out.remove(debt) }) settle(debt)
        }
    }

    private companion object {
        /** So that twice as many are a number still. */
        const val MOST_PAGES = (1L shl 30) - 1
    }
}
