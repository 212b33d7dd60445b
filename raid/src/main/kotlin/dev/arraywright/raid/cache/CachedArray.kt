package dev.arraywright.raid.cache

import java.nio.ByteBuffer

/**
 * One array's part of a [ReadCache]. What keeps old bytes out of it:
 * - a write strikes its range out when it begins, and is under way until it has ended, in whatever way;
 * - a load (a read that found nothing, and asks the members) is stale if a write to its range is under way when it
 *   begins, or begins before its bytes are in the cache; a stale load leaves nothing behind.
 *
 * So what is cached was read while nobody wrote to it, and nobody has begun to since. A write that fails, whose range
 * may hold anything, is no different from one that does not. Thread-safe.
 */
internal class CachedArray(private val cache: ReadCache) {
    private val blockSize = cache.blockSize
    private val grain = blockSize / CacheBlock.GRAINS
    private val lock = cache.lock
    private val blocks = HashMap<Long, CacheBlock>()
    private val loads = ArrayList<Span>()
    private val writes = ArrayList<Span>()
    private var closed = false

    /** True if a read of so many bytes may be served, or leave something behind. */
    fun takes(length: Int): Boolean = length in 1..cache.largest && cache.limit > 0

    /** Fills [target]'s remaining bytes from [offset], all of them or none. */
    fun serve(target: ByteBuffer, offset: Long): Boolean {
        val span = Span(offset, offset + target.remaining())
        val found = find(span) ?: return false
        try {
            for (block in found) {
                val start = block.index * blockSize
                val from = maxOf(span.from, start)
                val length = (minOf(span.until, start + blockSize) - from).toInt()
                target.put(target.position() + (from - offset).toInt(), block.memory, (from - start).toInt(), length)
            }
        } finally {
            for (block in found) block.release()
        }
        return true
    }

    /** The blocks that have the whole range, pinned; null if a byte of it is missing. */
    fun find(span: Span): Array<CacheBlock>? = synchronized(lock) {
        val first = span.from / blockSize
        val count = ((span.until - 1) / blockSize - first + 1).toInt()
        for (i in 0 until count) {
            val wanted = touched(span, first + i)
            val block = blocks[first + i]
            if (block == null || (block.valid and wanted) != wanted) {
                cache.looked(found = false)
                return null
            }
        }
        cache.looked(found = true)
        Array(count) { i ->
            blocks.getValue(first + i).also {
                it.pin()
                cache.used(it)
            }
        }
    }

    /** A load of the range begins, and [loaded] follows. */
    fun load(offset: Long, length: Int): Span {
        val load = Span(offset, offset + length)
        synchronized(lock) {
            load.stale = closed || writes.any(load::meets)
            if (!load.stale) loads += load
        }
        return load
    }

    /** The load ended with these bytes, [source]'s remaining ones, or without any. */
    fun loaded(load: Span, source: ByteBuffer?) {
        try {
            if (source != null) for (i in load.from / blockSize..(load.until - 1) / blockSize) keep(load, i, source)
        } finally {
            synchronized(lock) { loads -= load }
        }
    }

    /** Puts into block [index] what [load] has of it. */
    private fun keep(load: Span, index: Long, source: ByteBuffer) {
        var wanted = covered(load, index)
        if (wanted == 0L) return
        val present = synchronized(lock) {
            if (load.stale) return
            blocks[index]?.also {
                wanted = wanted and it.valid.inv()
                if (wanted == 0L || it.filling) return
                it.filling = true
                it.pin()
            }
        }
        val block = present ?: cache.admit(this, index) ?: return
        copy(wanted, source, source.position() + (index * blockSize - load.from).toInt(), block.memory)
        val kept = synchronized(lock) {
            block.filling = false
            if (present == null && cache.enter(block, !load.stale && index !in blocks)) blocks[index] = block
            if (block.cached && !load.stale) block.valid = block.valid or wanted
            block.cached
        }
        if (present != null || !kept) block.release()
    }

    /** [at] is where the block's first byte is in the source, or would be. */
    private fun copy(grains: Long, source: ByteBuffer, at: Int, target: ByteBuffer) {
        var left = grains
        while (left != 0L) {
            val from = left.countTrailingZeroBits()
            val until = from + (left ushr from).inv().countTrailingZeroBits()
            target.put(from * grain, source, at + from * grain, (until - from) * grain)
            left = left and CacheBlock.grains(from, until).inv()
        }
    }

    /** A write to the range begins, and [written] follows. */
    fun write(offset: Long, length: Long): Span {
        val write = Span(offset, offset + length)
        strike(write) { writes += write }
        return write
    }

    fun written(write: Span) {
        synchronized(lock) { writes -= write }
    }

    /** What members have of the range may not be what they had. */
    fun forget(offset: Long, length: Long) {
        strike(Span(offset, offset + length)) {}
    }

    /** Ends the part: it holds nothing any more, and takes nothing in. */
    fun close() {
        strike(Span(0, Long.MAX_VALUE)) { closed = true }
    }

    private inline fun strike(span: Span, also: () -> Unit) {
        val out = ArrayList<CacheBlock>(0)
        synchronized(lock) {
            also()
            for (load in loads) if (load.meets(span)) load.stale = true
            val indices = span.from / blockSize..(span.until - 1) / blockSize
            if (span.until - span.from < blocks.size.toLong() * blockSize) {
                for (i in indices) blocks[i]?.let { strike(it, span, out) }
            } else {
                for (block in blocks.values.filter { it.index in indices }) strike(block, span, out)
            }
        }
        for (block in out) block.release()
    }

    private fun strike(block: CacheBlock, span: Span, out: MutableList<CacheBlock>) {
        val struck = touched(span, block.index)
        if (struck == 0L || (block.valid and struck == 0L && !block.filling)) return
        if (!block.pinned) block.valid = block.valid and struck.inv()
        if (!block.pinned && block.valid != 0L) return
        cache.detach(block)
        out += block
    }

    /** Under the lock: the cache has taken it out. */
    fun detached(block: CacheBlock) {
        blocks.remove(block.index)
    }

    /** The grains of block [index] that the span has a byte of. */
    private fun touched(span: Span, index: Long): Long {
        val start = index * blockSize
        val from = (span.from - start).coerceIn(0, blockSize.toLong()).toInt()
        val until = (span.until - start).coerceIn(0, blockSize.toLong()).toInt()
        return CacheBlock.grains(from / grain, Math.ceilDiv(until, grain))
    }

    /** Those that it has all bytes of. */
    private fun covered(span: Span, index: Long): Long {
        val start = index * blockSize
        val from = (span.from - start).coerceIn(0, blockSize.toLong()).toInt()
        val until = (span.until - start).coerceIn(0, blockSize.toLong()).toInt()
        return CacheBlock.grains(Math.ceilDiv(from, grain), until / grain)
    }

    /** Bytes [from] until [until] of the array, which a load or a write is about; compared by identity. */
    class Span(val from: Long, val until: Long) {
        /** Of a load, under the lock. */
        var stale = false

        fun meets(other: Span): Boolean = from < other.until && other.from < until
    }
}
