package dev.arraywright.raid.array.intent

import dev.arraywright.raid.metadata.BitmapHeader

/**
 * Adds pieces of a resync up to whole chunks, as stripes are smaller than chunks. Only the chunk that the last piece
 * ended in can be half done; a write that a member missed there takes it out of the sum.
 */
internal class Sweep(header: BitmapHeader) {
    private val chunk = header.chunk().toLong()
    private val chunks = header.chunks()
    private val syncSize = header.syncSize()
    private var from = 0L
    private var until = 0L

    /** The chunks that are complete with this piece and were not before. */
    fun advance(from: Long, until: Long): IntRange {
        if (from != this.until) this.from = from
        this.until = until
        val first = Math.ceilDiv(this.from, chunk).toInt()
        val end = if (until == syncSize) chunks else (until / chunk).toInt()
        this.from = maxOf(this.from, end * chunk)
        return first..<end
    }

    /** A member lacks something of the chunk. */
    fun missed(index: Int) {
        if (index.toLong() == until / chunk) from = maxOf(from, (index + 1) * chunk)
    }

    /** Nothing counts but what comes from now on. */
    fun reset() {
        until = -1
    }
}
