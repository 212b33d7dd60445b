package dev.arraywright.raid.cache

import dev.arraywright.spi.memory.BufferAllocator
import java.util.concurrent.atomic.AtomicLong

/**
 * What clients have read lately, of all arrays that share it: one limit, and the memory goes where it is of use.
 *
 * Bytes are on the members before they are here, so there is nothing to write back, and any block may be given up at
 * any time. It holds what was read and nothing around it: a read never becomes larger for its sake. Reads of more than
 * [largest] bytes, resyncs, rebuilds and scrubs pass it by. Its memory comes from [buffers], as far as those have some:
 * it never waits for any. Thread-safe.
 *
 * @param limit bytes that it may hold; 0 turns it off
 * @param blockSize unit in which memory is taken and given back, a power of two of at least 4 KiB
 */
public class ReadCache(limit: Long, private val buffers: BufferAllocator, public val blockSize: Int = 16 * 1024) {
    /** Held for a few steps at a time: not while bytes are copied, and not while memory is taken or given back. */
    internal val lock = Any()
    private val order = SegmentedLru<CacheBlock>()
    private val held = AtomicLong()

    @Volatile
    private var bound = limit

    /** Bytes of the blocks in [order], and of those on their way in. */
    private var taken = 0L
    private var hits = 0L
    private var misses = 0L
    private var evictions = 0L

    init {
        require(limit >= 0) { "a limit of $limit bytes" }
        require(blockSize >= PAGE && blockSize.countOneBits() == 1) { "blocks of $blockSize bytes" }
    }

    /** Bytes that it may hold; lowering it is [shrinkTo]. */
    public var limit: Long
        get() = bound
        set(bytes) {
            restrict(bytes)
        }

    /** Reads of more bytes pass by. */
    public val largest: Int = blockSize * MOST_BLOCKS

    /** How much it helps, and what it takes, now. */
    public val stats: ReadCacheStats
        get() = synchronized(lock) { ReadCacheStats(hits, misses, held.get(), bound, evictions) }

    /**
     * Gives up blocks, the least useful first, until it holds [bytes] at most, and holds no more than that until
     * [limit] is raised. Returns the bytes released; what is being copied meanwhile follows within moments.
     */
    public fun shrinkTo(bytes: Long): Long = if (bytes < bound) restrict(bytes) else 0

    /** The part of an array that begins to run. */
    internal fun attach(): CachedArray = CachedArray(this)

    private fun restrict(bytes: Long): Long {
        require(bytes >= 0) { "a limit of $bytes bytes" }
        val out = synchronized(lock) {
            bound = bytes
            evict(0)
        }
        return out.count { it.release() } * blockSize.toLong()
    }

    /** Under the lock: a read looked for its bytes. */
    internal fun looked(found: Boolean) {
        if (found) hits++ else misses++
    }

    /** Under the lock. */
    internal fun used(block: CacheBlock) {
        order.used(block)
    }

    /** Empty memory for a block, in the place of less useful ones; [enter] follows. Null if there is none. */
    internal fun admit(owner: CachedArray, index: Long): CacheBlock? {
        var admitted = false
        val out = synchronized(lock) {
            evict(blockSize).also {
                admitted = taken + blockSize <= bound
                if (admitted) taken += blockSize
            }
        }
        out.forEach { it.release() }
        if (!admitted) return null
        val lease = lease() ?: anothersLease()
        if (lease == null) synchronized(lock) { taken -= blockSize }
        return lease?.let {
            held.addAndGet(blockSize.toLong())
            CacheBlock(owner, index, it) { held.addAndGet(-blockSize.toLong()) }
        }
    }

    /** Under the lock: true if the block is in now; else it is the caller's to release. */
    internal fun enter(block: CacheBlock, wanted: Boolean): Boolean {
        block.cached = wanted && taken <= bound
        if (block.cached) order.add(block) else taken -= blockSize
        return block.cached
    }

    /** Under the lock: takes the block out, for the caller to release. */
    internal fun detach(block: CacheBlock) {
        order.remove(block)
        block.owner.detached(block)
        block.cached = false
        taken -= blockSize
    }

    private fun evict(room: Int): List<CacheBlock> {
        if (taken + room <= bound) return emptyList()
        val out = ArrayList<CacheBlock>(1)
        while (taken + room > bound) out += evictLast() ?: break
        return out
    }

    private fun evictLast(): CacheBlock? = order.last()?.also {
        detach(it)
        evictions++
    }

    /** Where others have the allocator's memory, the cache goes on with what it has of it. */
    private fun anothersLease(): BufferAllocator.Lease? {
        val last = synchronized(lock) { evictLast() } ?: return null
        last.release()
        return lease()
    }

    private fun lease(): BufferAllocator.Lease? = try {
        if (blockSize <= buffers.limit()) buffers.tryAcquire(blockSize) else null
    } catch (_: OutOfMemoryError) {
        // There is none outside the heap: nothing to a cache, which does without.
        null
    }

    private companion object {
        const val PAGE = 4096
        const val MOST_BLOCKS = 64
    }
}

/** Figures of a [ReadCache]: reads that it served or not, bytes held, and blocks given up for want of room. */
public data class ReadCacheStats(
    public val hits: Long,
    public val misses: Long,
    public val bytes: Long,
    public val limit: Long,
    public val evictions: Long,
)
