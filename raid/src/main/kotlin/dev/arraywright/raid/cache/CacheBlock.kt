package dev.arraywright.raid.cache

import dev.arraywright.spi.memory.BufferAllocator
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger

/**
 * A block's worth of an array's bytes, or some of them. The cache has it, and whoever copies out of it or into it has
 * it too ([pin]): its memory goes back with the last of them. Bytes that are [valid] do not change while somebody has
 * the block; so one that is to lose some of them meanwhile leaves the cache as a whole.
 */
internal class CacheBlock(
    val owner: CachedArray,
    val index: Long,
    private val lease: BufferAllocator.Lease,
    private val freed: () -> Unit,
) : SegmentedLru.Entry() {
    private val users = AtomicInteger(1)
    val memory: ByteBuffer = lease.buffer()

    /** A bit for each grain whose bytes are there. Under the cache's lock, as are the next two. */
    var valid = 0L

    /** True while somebody copies into grains that are not valid. */
    var filling = false

    /** False until it is in the cache, and again once it is out. */
    var cached = false

    /** True if somebody has it besides the cache. Certain under the cache's lock, as that is where it is pinned. */
    val pinned: Boolean get() = users.get() > 1

    /** Under the cache's lock, and while the cache has it. */
    fun pin() {
        users.incrementAndGet()
    }

    /** True if that was the last to have it. Not under the cache's lock. */
    fun release(): Boolean {
        if (users.decrementAndGet() > 0) return false
        lease.close()
        freed()
        return true
    }

    companion object {
        /** Parts of a block that are valid or not, each by itself: the bits of a long. */
        const val GRAINS = Long.SIZE_BITS

        /** Bits [from] until [until]. */
        fun grains(from: Int, until: Int): Long =
            if (from >= until) 0 else (-1L shl from) and (-1L ushr (GRAINS - until))
    }
}
