package dev.arraywright.raid.array.io

import dev.arraywright.spi.device.DeviceIoException
import java.nio.ByteBuffer

/** Levels 5 and 6. Locks are columns of a stripe; a piece within one chunk needs its own columns only. */
internal class ParityIo(private val engine: Engine) : LevelIo {
    private val geometry = engine.geometry
    private val chunk = geometry.chunk()
    private val dataChunks = geometry.dataChunks()
    private val writer = ParityWriter(engine)
    private val scrubber = ParityScrub(engine)

    override suspend fun read(piece: Piece, target: ByteBuffer) {
        val touches = touches(piece)
        val (from, until) = columns(touches)
        engine.buffers.use(geometry.members() * (until - from)) { block ->
            val row = Row(engine, engine.view, piece.stripe, from, until, block)
            val direct = touches.all { row.readable(it.index) && !row.slow(it.index) } && row.loadOnly(touches)
            if (direct) return deliver(row, touches, target)
        }
        recover(piece.stripe, touches, from, until, target)
    }

    override suspend fun write(piece: Piece, source: ByteBuffer) {
        val touches = touches(piece)
        val (from, until) = columns(touches)
        engine.locks.withLock(piece.stripe, from, until, shared = false) {
            engine.buffers.use(2 * geometry.members() * (until - from)) { block ->
                engine.withView(engine.viewToWrite()) { view ->
                    writer.write(view, piece.stripe, from, until, touches, source, block)
                }
            }
        }
    }

    /** The parity of zeroes is zero. */
    override suspend fun zero(stripe: Long) {
        engine.locks.withLock(stripe, 0, chunk, shared = false) {
            val view = engine.viewToWrite()
            val offset = geometry.memberOffset(stripe)
            val calls = (0 until geometry.members()).mapNotNull { slot ->
                view.writable(slot)?.let { member ->
                    MemberCall(slot, member) { it.writeZeroes(offset, chunk.toLong()) }
                }
            }
            engine.commit(view, calls)
        }
    }

    /** With as many members missing as there are parities, the data is what parity says: nothing to compare. */
    override suspend fun resync(stripe: Long, from: Int, until: Int) {
        locked(stripe, from, until, 2) { view, block ->
            val row = Row(engine, view, stripe, from, until, block)
            val shards = 0 until geometry.members()
            if (shards.count { !row.readable(it) } >= geometry.level().parities()) return
            row.complete()
            engine.commit(view, row.rewrites())
            val read = Row(engine, view, stripe, from, until, block, geometry.members() * (until - from))
            val parities = (dataChunks until geometry.members()).toList()
            for (shard in parities) read.strip(shard).put(row.strip(shard))
            row.encode()
            val stale = parities.filter { read.strip(it).mismatch(row.strip(it)) >= 0 || !row.readable(it) }
            engine.commit(view, stale.mapNotNull { row.store(it) })
        }
    }

    override suspend fun rebuild(stripe: Long, slot: Int, from: Int, until: Int): Boolean {
        locked(stripe, from, until, 1) { view, block ->
            if (view.writable(slot) == null) return false
            val row = Row(engine, view, stripe, from, until, block)
            val shard = geometry.shard(stripe, slot)
            row.complete(notFrom = shard, fewest = true)
            engine.commit(view, row.cures() + listOfNotNull(row.store(shard)))
        }
        return true
    }

    override suspend fun copy(stripe: Long, slot: Int, from: Int, until: Int): Boolean {
        locked(stripe, from, until, 1) { view, block ->
            if (view.replacement(slot) == null) return false
            val row = Row(engine, view, stripe, from, until, block)
            val shard = geometry.shard(stripe, slot)
            val direct = row.readable(shard) && !row.slow(shard) && row.load(listOf(shard))
            if (!direct) row.complete(aroundSlow = true, fewest = true)
            val cures = row.cures()
            engine.commit(view, cures + listOfNotNull(row.storeBeside(shard).takeIf { cures.none { it.slot == slot } }))
        }
        return true
    }

    override suspend fun scrub(stripe: Long, from: Int, until: Int, repair: Boolean): RowReport =
        locked(stripe, from, until, 1) { view, block ->
            scrubber.scrub(Row(engine, view, stripe, from, until, block), repair)
        }

    private suspend inline fun <T> locked(
        stripe: Long,
        from: Int,
        until: Int,
        rows: Int,
        action: (View, Block) -> T,
    ): T = engine.locks.withLock(stripe, from, until, shared = false) {
        engine.buffers.use(rows * geometry.members() * (until - from)) { block -> action(engine.view, block) }
    }

    /** Whatever cannot be read directly, from the rest of the stripe; what had a medium error is written anew. */
    private suspend fun recover(stripe: Long, touches: List<Touch>, from: Int, until: Int, target: ByteBuffer) {
        val healthy = touches.all { Row(engine, engine.view, stripe, from, until, NOTHING).readable(it.index) }
        engine.locks.withLock(stripe, from, until, shared = !healthy) {
            engine.buffers.use(geometry.members() * (until - from)) { block ->
                engine.withView(engine.view) { view ->
                    val row = Row(engine, view, stripe, from, until, block)
                    val wanted = touches.map { it.index }
                    row.load(wanted.filter { row.readable(it) && !row.slow(it) })
                    if (wanted.any { !row.isKnown(it) }) row.complete(aroundSlow = true, fewest = true)
                    if (healthy) engine.commit(view, row.cures())
                    deliver(row, touches, target)
                }
            }
        }
    }

    private fun deliver(row: Row, touches: List<Touch>, target: ByteBuffer) {
        for (touch in touches) {
            target.put(target.position() + touch.at, row.strip(touch.index, touch.from, touch.until), 0, touch.length)
        }
    }

    private fun touches(piece: Piece): List<Touch> = buildList {
        var at = piece.from
        while (at < piece.until) {
            val end = minOf(piece.until, (at / chunk + 1) * chunk)
            val index = at / chunk
            add(Touch(index, at - index * chunk, end - index * chunk, at - piece.from))
            at = end
        }
    }

    private fun columns(touches: List<Touch>): Pair<Int, Int> = if (touches.size > 1)
        0 to chunk else {
        touches[0].from.alignDown(engine.blockSize) to touches[0].until.alignUp(engine.blockSize)
    }

    private companion object {
        val NOTHING = Block(Block.Memory(ByteBuffer.allocate(0)) {}) { error("nothing is read into it") }
    }
}

/** Columns [from] until [until] of data chunk [index] that a request covers, [at] bytes into the request. */
internal class Touch(val index: Int, val from: Int, val until: Int, val at: Int) {
    val length: Int get() = until - from
}
