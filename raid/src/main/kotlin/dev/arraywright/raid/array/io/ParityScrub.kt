package dev.arraywright.raid.array.io

import dev.arraywright.raid.codec.ParityCheck
import dev.arraywright.raid.repair.Mismatch

/**
 * Compares parity with data. With P and Q the shard that is wrong, if it is one, is found and can be calculated from
 * the others (H. P. Anvin, "The mathematics of RAID-6", section 4); else data is believed and parity made anew, as md
 * does.
 */
internal class ParityScrub(private val engine: Engine) {
    private val geometry = engine.geometry
    private val dataChunks = geometry.dataChunks()

    /** Under the row's lock. */
    suspend fun scrub(row: Row, repair: Boolean): RowReport {
        val shards = (0 until geometry.members()).toList()
        if (!shards.all(row::readable)) return RowReport(held = false)
        if (!row.load(shards)) {
            row.complete()
            engine.commit(row.view, row.cures())
        }
        val unreadable = row.failures.size
        val found = mismatches(row)
        if (!repair || found.isEmpty()) return RowReport(found.map { it.told(row) }, 0, unreadable)
        for (wrong in found) mend(row, wrong)
        return RowReport(found.map { it.told(row) }, found.size, unreadable)
    }

    private fun mismatches(row: Row): List<Wrong> {
        val found = ArrayList<Wrong>()
        if (check(row, row.from, row.until) == AGREE) return found
        for (from in row.from until row.until step GRAIN.coerceAtLeast(engine.blockSize)) {
            val until = minOf(from + GRAIN.coerceAtLeast(engine.blockSize), row.until)
            val shard = check(row, from, until)
            val last = found.lastOrNull()
            if (shard == AGREE)
                continue
            else if (last != null && last.until == from && last.shard == shard)
                found[found.size - 1] = Wrong(last.from, until, shard)
            else
                found += Wrong(from, until, shard)
        }
        return found
    }

    private fun check(row: Row, from: Int, until: Int): Int {
        val verdict = engine.parity.locate(row.data(from, until), row.p(from, until), row.q(from, until))
        return when (verdict) {
            is ParityCheck.Consistent -> AGREE
            is ParityCheck.OneWrong -> verdict.shard
            is ParityCheck.SeveralWrong -> UNKNOWN
        }
    }

    private suspend fun mend(row: Row, wrong: Wrong) {
        val q = row.q(wrong.from, wrong.until)
        val p = row.p(wrong.from, wrong.until)
        val data = row.data(wrong.from, wrong.until)
        val stale = if (wrong.shard in 0 until dataChunks) {
            engine.parity.recover(data, p, q, wrong.shard)
            listOf(wrong.shard)
        } else {
            if (q == null) engine.parity.xor(p, data) else engine.parity.pq(p, q, data)
            (dataChunks until geometry.members()).filter { wrong.shard == UNKNOWN || it == wrong.shard }
        }
        engine.commit(row.view, stale.mapNotNull { row.store(it, wrong.from, wrong.until) })
    }

    /** Columns and the shard that is wrong in them, or [UNKNOWN]. */
    private inner class Wrong(val from: Int, val until: Int, val shard: Int) {
        fun told(row: Row): Mismatch {
            val chunk = if (shard in 0 until dataChunks) shard else 0
            val offset = row.stripe * geometry.stripeBytes() + chunk.toLong() * geometry.unit() + from
            val slot = if (shard == UNKNOWN) null else row.slot(shard)
            val what = when {
                shard == UNKNOWN -> "parity does not agree with the data, and which is wrong cannot be told"
                shard < dataChunks -> "data on slot $slot is wrong by P and Q"
                else -> "${if (shard == dataChunks) "P" else "Q"} on slot $slot is wrong"
            }
            return Mismatch(offset, (until - from).toLong(), slot, what)
        }
    }

    private companion object {
        const val GRAIN = 4096
        const val AGREE = -1
        const val UNKNOWN = -2
    }
}
