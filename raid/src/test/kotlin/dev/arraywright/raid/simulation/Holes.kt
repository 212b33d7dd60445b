package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.codec.Parity
import dev.arraywright.raid.layout.Geometry
import java.nio.ByteBuffer
import java.util.BitSet

/**
 * The RAID-5 write hole, as exactly as it can be told: blocks of columns of stripes in which writes were under way, or
 * not flushed, when the power failed. Until the resync has passed a stripe, parity may contradict data there; a member
 * lost meanwhile takes its bytes in these columns with it, and no others. Copies may differ there, and losing one may
 * change which of the possible bytes is read.
 */
class Holes(private val geometry: Geometry, private val block: Int) {
    private val blocks = (geometry.unit() + block - 1) / block
    private val open = BitSet()

    fun powerCut(state: ArrayState, unflushed: List<IntRange>) {
        if (state.resync == null) open.clear()
        for (range in unflushed) {
            var at = range.first
            while (at <= range.last) {
                val stripe = at / geometry.stripeBytes()
                val column = at % geometry.stripeBytes() % geometry.unit()
                open.set(stripe * blocks + column / block)
                at = (at / block + 1) * block
            }
        }
    }

    fun lose(slot: Int, state: ArrayState, model: ByteModel) {
        val resync = state.resync ?: return
        for (stripe in 0 until geometry.stripes()) {
            if (geometry.syncOffset(stripe + 1) <= resync.done) continue
            val start = (stripe * geometry.stripeBytes()).toInt()
            for (i in 0 until blocks) {
                if (open.get((stripe * blocks).toInt() + i)) {
                    val from = start + i * block
                    if (!geometry.hasParity()) {
                        model.reopen(from, minOf(from + block, geometry.arraySize().toInt()))
                    } else if (geometry.shard(stripe, slot) < geometry.dataChunks()) {
                        val at = from + geometry.shard(stripe, slot) * geometry.unit()
                        model.forget(at, at + block)
                    }
                }
            }
        }
    }
}

/** Looks at what is on the disks of a stopped array: copies are equal, and P and Q are those of the data. */
class Scrub(private val geometry: Geometry, private val state: ArrayState, private val disks: List<SimulatedDisk>) {
    fun check() {
        for (stripe in 0 until geometry.stripes()) if (geometry.hasParity()) parity(stripe) else copies(stripe)
    }

    private fun copies(stripe: Long) {
        val copies = (0 until geometry.copies()).filter { inSync(geometry.copySlot(stripe, it)) }
            .map { bytes(geometry.copySlot(stripe, it), geometry.copyOffset(stripe, it), geometry.length(stripe)) }
        for (copy in copies) check(copy.mismatch(copies[0]) < 0) { "copies of stripe $stripe differ" }
    }

    private fun parity(stripe: Long) {
        if ((0 until geometry.members()).any { !inSync(it) }) return

        fun strip(slot: Int) = bytes(slot, geometry.memberOffset(stripe), geometry.unit())
        val data = Array(geometry.dataChunks()) { strip(geometry.dataSlot(stripe, it)) }
        val p = ByteBuffer.allocateDirect(geometry.unit())
        val q = ByteBuffer.allocateDirect(geometry.unit())
        Parity.best().pq(p, q, data)
        check(p.mismatch(strip(geometry.p(stripe))) < 0) {
            "P of stripe $stripe is wrong at ${p.mismatch(strip(geometry.p(stripe)))}"
        }
        if (geometry.level().parities() == 2)
            check(q.mismatch(strip(geometry.q(stripe))) < 0) {
                "Q of stripe $stripe is wrong"
            }
    }

    private fun inSync(slot: Int) = state.slots[slot].member == MemberState.InSync

    private fun bytes(slot: Int, offset: Long, length: Int): ByteBuffer {
        val disk = disks.first { it.id == state.slots[slot].deviceId }
        return ByteBuffer.allocateDirect(length).put(disk.peek((1L shl 20) + offset, length)).flip()
    }
}
