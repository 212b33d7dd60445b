package dev.arraywright.raid.array.io

import java.nio.ByteBuffer

/**
 * Writes into a parity stripe under its lock. Three ways lead to the new parity:
 *
 * ```
 * way          reads                              needs
 * modify       what is overwritten, and parity    a stripe known to be in sync, all it reads
 * reconstruct  the data that is not overwritten   all it reads
 * complete     every member that can be read      no more missing than there are parities
 * ```
 *
 * Of the first two the one that reads less; a full stripe is reconstructed from nothing. `complete` is for what
 * neither can do, and for when a read fails.
 */
internal class ParityWriter(private val engine: Engine) {
    private val geometry = engine.geometry
    private val dataChunks = geometry.dataChunks()
    private val parities = dataChunks until geometry.members()

    /** [block] has room for two rows of the columns. */
    suspend fun write(
        view: View,
        stripe: Long,
        from: Int,
        until: Int,
        touches: List<Touch>,
        source: ByteBuffer,
        block: Block,
    ) {
        val row = Row(engine, view, stripe, from, until, block)
        val before = Row(engine, view, stripe, from, until, block, geometry.members() * (until - from))
        val kept = (0 until dataChunks).filter { index -> touches.none { it.index == index && it.length == row.width } }
        val modify = modifiable(row, touches)
        val reconstruct = kept.all(row::readable)
        val modifyReads = touches.size + parities.count(row::readable)
        val done = when {
            modify && (!reconstruct || modifyReads < kept.size) -> modify(row, before, touches, source)
            reconstruct -> reconstruct(row, kept, touches, source)
            else -> false
        }
        if (!done) complete(row, touches, source)
        val writes = touches.mapNotNull { touch ->
            val hull = hull(touch)
            row.store(touch.index, hull.first, hull.last + 1)
        } + parities.mapNotNull { if (row.isKnown(it)) row.store(it) else null }
        engine.commit(view, merge(row, writes))
    }

    /** Every touched chunk can be read, and of the parities those that are to be written. */
    private fun modifiable(row: Row, touches: List<Touch>): Boolean =
        engine.synced(row.stripe) && touches.all { row.readable(it.index) } &&
            parities.all { row.readable(it) || row.view.writable(row.slot(it)) == null }

    private suspend fun modify(row: Row, before: Row, touches: List<Touch>, source: ByteBuffer): Boolean {
        val present = parities.filter(row::readable)
        val reads = touches.map { it.index }
        if (!before.load(reads) || !row.load(present)) {
            row.failures += before.failures
            return false
        }
        for (touch in touches) {
            row.strip(touch.index).put(before.strip(touch.index))
            overlay(row, touch, source)
            // A parity that nobody keeps is updated all the same, in memory of no meaning.
            engine.parity.update(row.p(), row.q(), touch.index, before.strip(touch.index), row.strip(touch.index))
        }
        return true
    }

    private suspend fun reconstruct(row: Row, kept: List<Int>, touches: List<Touch>, source: ByteBuffer): Boolean {
        if (!row.load(kept)) return false
        for (touch in touches) overlay(row, touch, source)
        row.encode()
        return true
    }

    private suspend fun complete(row: Row, touches: List<Touch>, source: ByteBuffer) {
        row.complete()
        for (touch in touches) overlay(row, touch, source)
        row.encode()
    }

    /**
     * What was unreadable and is known again is written too, in place of the write of a part of it. Where parity may be
     * wrong, what was calculated from it counts from now on, so a member that was only slow gets it as well.
     */
    private fun merge(row: Row, writes: List<MemberCall>): List<MemberCall> {
        val cures = if (engine.synced(row.stripe)) row.cures() else row.rewrites()
        return cures + writes.filter { write -> cures.none { it.slot == write.slot } }
    }

    private fun overlay(row: Row, touch: Touch, source: ByteBuffer) {
        row.strip(touch.index, touch.from, touch.until).put(0, source, source.position() + touch.at, touch.length)
    }

    /** Whole blocks around a touch. */
    private fun hull(touch: Touch): IntRange =
        touch.from.alignDown(engine.blockSize) until touch.until.alignUp(engine.blockSize)
}
