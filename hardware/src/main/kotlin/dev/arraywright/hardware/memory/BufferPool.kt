package dev.arraywright.hardware.memory

import dev.arraywright.hardware.memory.slab.Slab
import dev.arraywright.hardware.memory.slab.Slabs
import dev.arraywright.hardware.numa.NodePreference
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.suspendCancellableCoroutine
import java.nio.ByteBuffer
import java.util.ArrayDeque
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration

/**
 * The bounded pool of page-aligned direct buffers. Sizes are rounded up to powers of two from 4 KiB, and it is the
 * rounded sizes that count: buffers out, reservations and idle memory together never exceed [limit].
 *
 * Waiting is fair: a request waits behind every earlier one, so that a large one is not starved by small ones. Whoever
 * waits while holding buffers of the same pool can deadlock; [tryReserve] carves out a part of one's own against that.
 *
 * Thread-safe. A buffer that is used after it was closed may see the bytes of whoever has the memory next, and once that
 * is given back, by [trim] or [close], throws instead of touching freed memory. Given back means unmapped: the process's
 * resident set falls by it at once.
 *
 * @param limit bytes, a positive multiple of 4 KiB
 */
public class BufferPool private constructor(private val limit: Long, private val parent: BufferPool?, node: Int) :
    BufferAllocator,
    AutoCloseable {
        private val preference = NodePreference.of(node)
        private val slabs = Slabs(limit, preference)
        private val lock = ReentrantLock()
        private val idle = HashMap<Long, ArrayDeque<Slab>>()
        private val waiters = ArrayDeque<Waiter>()
        private var inUse = 0L

        @Volatile
        private var idleBytes = 0L
        private var closed = false
        private val reserves = CopyOnWriteArrayList<BufferPool>()

        /**
         * Bytes that may stay idle here and in what was set aside by [tryReserve], unlimited at first. Lowering it
         * gives memory back to the operating system at once, as [trim] does, and from then on as buffers come back;
         * requests are granted as before.
         */
        @Volatile
        public var idleLimit: Long = Long.MAX_VALUE
            set(bytes) {
                require(bytes >= 0) { "an idle limit of $bytes bytes" }
                field = bytes
                trim(bytes)
            }

        public constructor(limit: Long) : this(limit, null, -1)

        init {
            require(limit > 0 && limit % PAGE == 0L) { "the limit is $limit bytes, not a positive multiple of $PAGE" }
        }

        override fun limit(): Long = limit

        override fun inUse(): Long = lock.withLock { inUse }

        /** Why its buffers are not bound to the NUMA node that was wished for, if one was; null if they are. */
        public val nodeAbsence: String? get() = preference.absence

        /** A snapshot of the pool's figures. */
        public fun stats(): BufferPoolStats =
            lock.withLock { BufferPoolStats(limit, inUse, idleBytes, waiters.size, idleInReserves()) }

        override fun acquire(size: Int): BufferAllocator.Lease {
            val granted = CompletableFuture<Grant>()
            val waiter = enqueue(size, Waiter(weight(size), granted::complete, granted::completeExceptionally))
            return awaitGrant(waiter, granted, null).let { checkNotNull(it) }.lease(size)
        }

        override fun tryAcquire(size: Int): BufferAllocator.Lease? {
            val weight = weight(size)
            val grant = lock.withLock {
                check(!closed) { "the buffer pool is closed" }
                if (waiters.isEmpty() && inUse + weight <= limit) grant(weight) else null
            }
            return grant?.lease(size)
        }

        /** Like [acquire], but returns null once [wait] is over. */
        @Throws(InterruptedException::class)
        public fun tryAcquire(size: Int, wait: Duration): BufferAllocator.Lease? {
            val granted = CompletableFuture<Grant>()
            val waiter = enqueue(size, Waiter(weight(size), granted::complete, granted::completeExceptionally))
            return awaitGrant(waiter, granted, wait)?.lease(size)
        }

        /** Like [acquire], but suspends instead of blocking; a cancelled wait takes no buffer. */
        public suspend fun lease(size: Int): BufferAllocator.Lease {
            val grant = suspendCancellableCoroutine<Grant> { continuation ->
                val waiter = Waiter(
                    weight(size),
                    { grant -> continuation.resume(grant) { _, unused, _ -> unused.giveBack() } },
                    { failure -> continuation.resumeWithException(failure) },
                )
                enqueue(size, waiter)
                continuation.invokeOnCancellation { withdraw(waiter) }
            }
            return grant.lease(size)
        }

        /**
         * Sets [bytes] of this pool aside as a pool of its own, or returns null if that much is not free now. Its holders
         * compete with nobody else; its close, and the return of its last buffer, give the bytes back.
         *
         * @param node the NUMA node that its buffers are to be on, -1 for any; [nodeAbsence] tells whether they are
         */
        @JvmOverloads
        public fun tryReserve(bytes: Long, node: Int = -1): BufferPool? {
            val reserved = BufferPool(bytes, this, node)
            val evicted = lock.withLock {
                check(!closed) { "the buffer pool is closed" }
                if (waiters.isNotEmpty() || inUse + bytes > limit) return null
                inUse += bytes
                reserves += reserved
                evict(limit - inUse)
            }
            evicted.forEach(Slab::free)
            return reserved
        }

        /**
         * Gives idle memory back to the operating system until at most [keep] bytes are idle, here and in what was set
         * aside by [tryReserve] together: first what is idle here, for reserves are there to be quick. Returns the
         * bytes freed.
         */
        public fun trim(keep: Long = 0): Long {
            val evicted = lock.withLock { evict((keep - idleInReserves()).coerceAtLeast(0)) }
            evicted.forEach(Slab::free)
            var freed = evicted.sumOf { it.bytes }
            for (reserve in reserves) {
                val excess = idleInReserves() - keep
                if (excess > 0) freed += reserve.trim((reserve.allIdle() - excess).coerceAtLeast(0))
            }
            return freed
        }

        /** Refuses new requests, fails those that wait, frees idle memory now and the rest as it comes back. */
        override fun close() {
            val (evicted, failed) = lock.withLock {
                if (closed) return
                closed = true
                evict(0) to waiters.toList().also { waiters.clear() }
            }
            evicted.forEach(Slab::free)
            failed.forEach { it.fail(IllegalStateException("the buffer pool was closed")) }
            parent?.reserves?.remove(this)
            if (inUse() == 0L) parent?.release(limit, null)
        }

        private fun idleInReserves(): Long = reserves.sumOf { it.allIdle() }

        private fun allIdle(): Long = idleBytes + idleInReserves()

        /** What may be idle here, by the limits of this pool and of those it was set aside from; takes no lock. */
        private fun idleRoom(): Long {
            var room = Long.MAX_VALUE
            var pool: BufferPool? = this
            while (pool != null) {
                val most = pool.idleLimit
                if (most != Long.MAX_VALUE) room = minOf(room, most - (pool.allIdle() - idleBytes))
                pool = pool.parent
            }
            return room.coerceAtLeast(0)
        }

        /** What a buffer of [size] bytes counts for. */
        internal fun weight(size: Int): Long {
            require(size > 0 && size <= limit) { "a buffer of $size bytes from a pool of $limit" }
            val powerOfTwo = if (size <= PAGE) PAGE else java.lang.Long.highestOneBit(size - 1L) shl 1
            return minOf(powerOfTwo, limit)
        }

        private fun enqueue(size: Int, waiter: Waiter): Waiter {
            require(size > 0)
            val ready = lock.withLock {
                check(!closed) { "the buffer pool is closed" }
                waiters.add(waiter)
                grantWaiting()
            }
            ready.forEach { (granted, grant) -> granted.accept(grant) }
            return waiter
        }

        private fun awaitGrant(waiter: Waiter, granted: CompletableFuture<Grant>, wait: Duration?): Grant? {
            try {
                if (granted.isDone || wait == null) return granted.get()
                return granted.get(wait.inWholeNanoseconds, TimeUnit.NANOSECONDS)
            } catch (_: TimeoutException) {
                return if (withdraw(waiter)) null else granted.get()
            } catch (e: InterruptedException) {
                if (!withdraw(waiter)) granted.get().giveBack()
                throw e
            } catch (e: java.util.concurrent.ExecutionException) {
                throw e.cause ?: e
            }
        }

        /** False if the waiter was granted its buffer before. */
        private fun withdraw(waiter: Waiter): Boolean {
            val (removed, ready) = lock.withLock { waiters.remove(waiter) to grantWaiting() }
            ready.forEach { (granted, grant) -> granted.accept(grant) }
            return removed
        }

        private fun grantWaiting(): List<Pair<Waiter, Grant>> {
            val ready = ArrayList<Pair<Waiter, Grant>>(1)
            while (true) {
                val first = waiters.peek() ?: return ready
                if (inUse + first.weight > limit) return ready
                waiters.remove()
                ready += first to grant(first.weight)
            }
        }

        private fun grant(weight: Long): Grant {
            inUse += weight
            val reused = idle[weight]?.pollLast()
            if (reused != null) idleBytes -= weight
            return Grant(weight, reused, evict(limit - inUse))
        }

        private fun evict(keep: Long): List<Slab> {
            if (idleBytes <= keep) return emptyList()
            val evicted = ArrayList<Slab>()
            for (slabs in idle.values) {
                while (idleBytes > keep) {
                    val oldest = slabs.pollFirst() ?: break
                    idleBytes -= oldest.bytes
                    evicted += oldest
                }
            }
            return evicted
        }

        private fun release(weight: Long, slab: Slab?) {
            var drained = false
            var evicted = emptyList<Slab>()
            val ready = lock.withLock {
                inUse -= weight
                drained = closed && inUse == 0L
                if (slab != null && !closed) {
                    idle.getOrPut(weight) { ArrayDeque() }.add(slab)
                    idleBytes += weight
                    evicted = evict(idleRoom())
                }
                grantWaiting()
            }
            evicted.forEach(Slab::free)
            if (slab != null && closed) slab.free()
            if (drained) parent?.release(limit, null)
            ready.forEach { (granted, grant) -> granted.accept(grant) }
        }

        private class Waiter(val weight: Long, val accept: (Grant) -> Unit, val fail: (Throwable) -> Unit)

        /** The right to [weight] bytes. Memory is allocated and freed by the receiver, outside the lock. */
        private inner class Grant(private val weight: Long, private var slab: Slab?, private val evicted: List<Slab>) {
            fun lease(size: Int): BufferAllocator.Lease {
                evicted.forEach(Slab::free)
                try {
                    val memory = slab ?: slabs.take(weight)
                    return PooledLease(memory, size)
                } catch (e: OutOfMemoryError) {
                    release(weight, null)
                    throw e
                }
            }

            fun giveBack() {
                evicted.forEach(Slab::free)
                release(weight, slab)
            }
        }

        /** Refers to the memory alone, and not to whoever's view of it. */
        private inner class Return(private val slab: Slab) :
            AtomicBoolean(),
            AutoCloseable {
            override fun close() {
                if (compareAndSet(false, true)) release(slab.bytes, slab)
            }
        }

        private inner class PooledLease(slab: Slab, size: Int) : BufferAllocator.Lease {
            val back = Return(slab)
            private val view: ByteBuffer = slab.memory.asSlice(0, size.toLong()).asByteBuffer()

            override fun buffer(): ByteBuffer = view

            override fun close(): Unit = back.close()
        }

        public companion object {
            /** Bytes that every buffer's address is a multiple of, and the smallest size. */
            public const val PAGE: Long = 4096

            /** What gives a pool's buffer back, as its lease does, without keeping the buffer itself reachable. */
            internal fun returnOf(lease: BufferAllocator.Lease): AutoCloseable = (lease as PooledLease).back
        }
    }

/**
 * Figures of a [BufferPool] in bytes; [inUse] includes reservations, whose idle memory is [idleInReserves] and not part
 * of [idle], and [waiting] counts requests.
 */
public data class BufferPoolStats(
    val limit: Long,
    val inUse: Long,
    val idle: Long,
    val waiting: Int,
    val idleInReserves: Long = 0,
)
