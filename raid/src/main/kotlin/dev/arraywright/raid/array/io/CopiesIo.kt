package dev.arraywright.raid.array.io

import dev.arraywright.raid.repair.Mismatch
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import java.nio.ByteBuffer

/** Levels that keep chunks as they are, once or several times: 0, 1 and 10. */
internal class CopiesIo(private val engine: Engine) : LevelIo {
    private val geometry = engine.geometry
    private val block = engine.blockSize

    override suspend fun read(piece: Piece, target: ByteBuffer) {
        val from = piece.from.alignDown(block)
        val until = piece.until.alignUp(block)
        engine.buffers.use(until - from) { bytes ->
            val view = engine.view
            val copy = choose(view, piece.stripe, until)
            val failure = if (copy == null) null else attempt(view, piece.stripe, copy, bytes, from, until)
            if (copy == null || failure != null) {
                if (failure != null) engine.readFailed(view.members[slot(piece.stripe, copy!!)]!!, failure)
                recover(piece.stripe, bytes, from, until)
            }
            target.put(target.position(), bytes.memory, piece.from - from, piece.length)
        }
    }

    override suspend fun write(piece: Piece, source: ByteBuffer) {
        val from = piece.from.alignDown(block)
        val until = piece.until.alignUp(block)
        engine.locks.withLock(piece.stripe, from, until, shared = false) {
            engine.buffers.use(until - from) { bytes ->
                val view = engine.viewToWrite()
                if (piece.from != from || piece.until != until) {
                    engine.withView(view) { readBlocks(it, piece, bytes, from, until) }
                }
                bytes.memory.put(piece.from - from, source, source.position(), piece.length)
                commitCopies(view, piece.stripe) { member, offset ->
                    member.write(bytes, 0, until - from, offset + from)
                }
            }
        }
    }

    override suspend fun zero(stripe: Long) {
        val length = geometry.length(stripe)
        engine.locks.withLock(stripe, 0, length, shared = false) {
            commitCopies(engine.viewToWrite(), stripe) { member, offset -> member.writeZeroes(offset, length.toLong()) }
        }
    }

    /** The first copy is right: reads of the stripe came from it until now. */
    override suspend fun resync(stripe: Long, from: Int, until: Int) {
        val length = until - from
        locked(stripe, from, until, 2) { view, bytes ->
            val source = readLocked(view, stripe, bytes, from, until, emptySet())
            val stale = copies(view, stripe, until).filter {
                it != source && differs(view, stripe, it, bytes, from, until)
            }
            engine.commit(view, stale.map { store(view, stripe, it, bytes, from, length) })
        }
    }

    override suspend fun rebuild(stripe: Long, slot: Int, from: Int, until: Int): Boolean {
        val copy = copyIn(stripe, slot) ?: return true
        locked(stripe, from, until, 1) { view, bytes ->
            if (view.writable(slot) == null) return false
            readLocked(view, stripe, bytes, from, until, setOf(copy))
            engine.commit(view, listOf(store(view, stripe, copy, bytes, from, until - from)))
        }
        return true
    }

    override suspend fun copy(stripe: Long, slot: Int, from: Int, until: Int): Boolean {
        val copy = copyIn(stripe, slot) ?: return true
        locked(stripe, from, until, 1) { view, bytes ->
            if (view.replacement(slot) == null) return false
            readLocked(view, stripe, bytes, from, until, emptySet())
            val offset = geometry.copyOffset(stripe, copy) + from
            engine.commit(view, listOfNotNull(view.besideOnly(slot) { it.write(bytes, 0, until - from, offset) }))
        }
        return true
    }

    override suspend fun scrub(stripe: Long, from: Int, until: Int, repair: Boolean): RowReport {
        val all = 0 until geometry.copies()
        return locked(stripe, from, until, geometry.copies()) { view, bytes ->
            if (copies(view, stripe, until).size < all.count()) return@locked RowReport(held = false)
            val length = until - from
            val failed = all.mapNotNull { copy ->
                attempt(view, stripe, copy, bytes, from, until, at = copy * length)?.let { copy to it }
            }.toMap()
            for ((copy, failure) in failed) engine.readFailed(view.members[slot(stripe, copy)]!!, failure)
            val intact = all.filter { it !in failed }
            if (intact.isEmpty()) return@locked RowReport(unreadable = failed.size)
            val found = CopyVote(bytes, length, block, intact).mismatches()
            val start = stripe * geometry.stripeBytes() + from
            val report = found.map {
                Mismatch(start + it.from, it.length.toLong(), it.wrong?.let { w -> slot(stripe, w) }, it.what)
            }
            if (repair) for (row in found) mend(view, stripe, bytes, length, from, row, intact)
            for (copy in failed.filterValues { it.curable }.keys) {
                engine.commit(view, listOf(store(view, stripe, copy, bytes, from, length, at = intact[0] * length)))
            }
            RowReport(report, if (repair) found.size else 0, failed.size)
        }
    }

    /** Gives the copies that disagree the bytes of the one that is right, or of the first where that is not known. */
    private suspend fun mend(
        view: View,
        stripe: Long,
        bytes: Block,
        length: Int,
        from: Int,
        row: CopyMismatch,
        intact: List<Int>,
    ) {
        val right = intact.first { it != row.wrong }
        val stale = if (row.wrong != null) listOf(row.wrong) else intact.filter { it != right }
        engine.commit(
            view,
            stale.map { store(view, stripe, it, bytes, from + row.from, row.length, at = right * length + row.from) },
        )
    }

    private fun copyIn(stripe: Long, slot: Int): Int? =
        (0 until geometry.copies()).firstOrNull { slot(stripe, it) == slot }

    private suspend inline fun <T> locked(
        stripe: Long,
        from: Int,
        until: Int,
        rows: Int,
        action: (View, Block) -> T,
    ): T = engine.locks.withLock(stripe, from, until, shared = false) {
        engine.buffers.use(rows * (until - from)) { bytes -> action(engine.view, bytes) }
    }

    /** A write of [length] bytes of the block, from [at] there, to column [from] of a copy. */
    private fun store(
        view: View,
        stripe: Long,
        copy: Int,
        bytes: Block,
        from: Int,
        length: Int,
        at: Int = 0,
    ): MemberCall {
        val offset = geometry.copyOffset(stripe, copy) + from
        return call(view, stripe, copy) { it.write(bytes, at, length, offset) }
    }

    /** Under a lock on the range: from any copy, and cures those that could not be read. */
    private suspend fun recover(stripe: Long, bytes: Block, from: Int, until: Int) {
        engine.locks.withLock(stripe, from, until, shared = false) {
            engine.withView(engine.view) { readLocked(it, stripe, bytes, from, until, emptySet()) }
        }
    }

    /** Only the blocks that the piece does not fill, which are the first and the last. */
    private suspend fun readBlocks(view: View, piece: Piece, bytes: Block, from: Int, until: Int) {
        // Both ends are in one read unless there is a good deal between them.
        if (until - from <= FEW_BLOCKS * block) {
            readLocked(view, piece.stripe, bytes, from, until, emptySet())
            return
        }
        if (piece.from != from) readLocked(view, piece.stripe, bytes, from, from + block, emptySet())
        if (piece.until != until) {
            engine.buffers.use(block) { last ->
                readLocked(view, piece.stripe, last, until - block, until, emptySet())
                bytes.memory.put(until - block - from, last.memory, 0, block)
            }
        }
    }

    /** Tries copy by copy, rewrites those with medium errors from the one that could be read, and returns that. */
    private suspend fun readLocked(view: View, stripe: Long, bytes: Block, from: Int, until: Int, not: Set<Int>): Int {
        val failed = LinkedHashMap<Int, DeviceIoException>()
        for (copy in order(view, stripe, until).filter { it !in not }) {
            val failure = attempt(view, stripe, copy, bytes, from, until)
            if (failure == null) {
                // Where copies may differ this one counts from now on, so one that was only slow gets it as well.
                val stale = failed.filterValues { it.curable || !engine.synced(stripe) }.keys
                cure(view, stripe, stale, bytes, from, until)
                return copy
            }
            failed[copy] = failure
            engine.readFailed(view.members[slot(stripe, copy)]!!, failure)
        }
        val start = stripe * geometry.stripeBytes() + from
        throw engine.unreadable(start, until - from, failed.values.firstOrNull())
    }

    private suspend fun cure(view: View, stripe: Long, copies: Set<Int>, bytes: Block, from: Int, until: Int) {
        if (copies.isEmpty() || view.state.failure != null) return
        engine.commit(
            view,
            copies.filter { view.writable(slot(stripe, it)) != null }.map { copy ->
                val offset = geometry.copyOffset(stripe, copy)
                call(view, stripe, copy) { it.write(bytes, 0, until - from, offset + from) }
            },
        )
    }

    private suspend fun commitCopies(view: View, stripe: Long, action: suspend (Member, Long) -> Unit) {
        val calls = (0 until geometry.copies()).filter { view.writable(slot(stripe, it)) != null }.map { copy ->
            val offset = geometry.copyOffset(stripe, copy)
            call(view, stripe, copy) { action(it, offset) }
        }
        if (calls.isEmpty()) throw engine.unreadable(stripe * geometry.stripeBytes(), geometry.length(stripe), null)
        engine.commit(view, calls)
    }

    /** Compares with the first half of [bytes], by way of the second; what cannot be read differs. */
    private suspend fun differs(
        view: View,
        stripe: Long,
        copy: Int,
        bytes: Block,
        from: Int,
        until: Int,
    ): Boolean {
        val length = until - from
        val failure = attempt(view, stripe, copy, bytes, from, until, at = length)
        if (failure != null) engine.readFailed(view.members[slot(stripe, copy)]!!, failure)
        return if (failure != null)
            view.writable(slot(stripe, copy)) != null
        else
            bytes.slice(0, length).mismatch(bytes.slice(length, length)) >= 0
    }

    private suspend fun attempt(
        view: View,
        stripe: Long,
        copy: Int,
        bytes: Block,
        from: Int,
        until: Int,
        at: Int = 0,
    ): DeviceIoException? = try {
        val offset = geometry.copyOffset(stripe, copy)
        view.members[slot(stripe, copy)]!!.read(bytes, at, until - from, offset + from)
        null
    } catch (failure: DeviceIoException) {
        if (failure is TimedOutException) bytes.renew()
        failure
    }

    private fun choose(view: View, stripe: Long, until: Int): Int? {
        val usable = order(view, stripe, until)
        val prompt = usable.filter { view.members[slot(stripe, it)]!!.misses == 0 }.ifEmpty { usable }
        // Copies that may differ are read from one only, or a client might see a byte change back.
        return if (!engine.synced(stripe))
            usable.firstOrNull()
        else if (prompt.isEmpty())
            null
        else
            prompt[(stripe / BALANCE % prompt.size).toInt()]
    }

    private fun order(view: View, stripe: Long, until: Int): List<Int> {
        val usable = copies(view, stripe, until)
        return if (engine.synced(stripe)) usable.sortedBy { view.members[slot(stripe, it)]!!.misses } else usable
    }

    private fun copies(view: View, stripe: Long, until: Int): List<Int> =
        (0 until geometry.copies()).filter {
            view.readable(slot(stripe, it), geometry.copyOffset(stripe, it) + until) != null
        }

    private fun slot(stripe: Long, copy: Int): Int = geometry.copySlot(stripe, copy)

    private fun call(view: View, stripe: Long, copy: Int, action: suspend (Member) -> Unit): MemberCall =
        slot(stripe, copy).let { MemberCall(it, view.members[it]!!, action) }

    private companion object {
        const val FEW_BLOCKS = 16
        const val BALANCE = 8
    }
}

internal fun Int.alignDown(unit: Int): Int = this and -unit

internal fun Int.alignUp(unit: Int): Int = (this + unit - 1) and -unit
