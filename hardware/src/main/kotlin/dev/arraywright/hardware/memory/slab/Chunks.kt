package dev.arraywright.hardware.memory.slab

import java.lang.foreign.Arena
import java.util.BitSet

/**
 * Chunk mappings of [slots] slabs of [bytes] each. Slabs are taken from one chunk until it is full, so that others get
 * the chance to empty. The slabs of a chunk share its arena: closing one stops every thread of the process for a moment,
 * and small slabs come and go by the thousand. Thread-safe.
 */
internal class Chunks(
    private val bytes: Long,
    private val slots: Int,
    private val pages: Pages,
    private val map: (Long) -> Long,
    private val unmap: (Long, Long) -> Unit,
) {
    /** Those with a free slot. */
    private val open = LinkedHashSet<Chunk>()

    /** Null if nothing can be mapped. */
    fun take(): Slab? {
        val (chunk, slot) = synchronized(open) {
            val chunk = open.firstOrNull() ?: newChunk() ?: return null
            val slot = chunk.taken.nextClearBit(0)
            chunk.taken.set(slot)
            if (chunk.taken.cardinality() == slots) open -= chunk
            chunk to slot
        }
        return Slab.part(chunk.memory.asSlice(slot * bytes, bytes)) { giveBack(chunk, slot) }
    }

    private fun newChunk(): Chunk? = map(bytes * slots).takeIf { it != 0L }?.let { Chunk(it) }?.also { open += it }

    /**
     * The pages go before the slot is free, for whoever takes it next fills them. With pages larger than the slab its
     * neighbours are in them as well: then they go with the chunk.
     */
    private fun giveBack(chunk: Chunk, slot: Int) {
        val last = synchronized(open) { chunk.taken.cardinality() == 1 && vacate(chunk, slot) }
        if (!last && bytes % pages.size == 0L) pages.drop(chunk.address + slot * bytes, bytes)
        if (last || synchronized(open) { vacate(chunk, slot) }) chunk.arena.close()
    }

    /** Whether the chunk is empty now, and nobody's any more. */
    private fun vacate(chunk: Chunk, slot: Int): Boolean {
        chunk.taken.clear(slot)
        if (chunk.taken.isEmpty) open -= chunk else open += chunk
        return chunk.taken.isEmpty
    }

    private inner class Chunk(val address: Long) {
        val taken = BitSet(slots)
        val arena: Arena = Arena.ofShared()
        val memory = Slab.mapping(address, bytes * slots, arena) { unmap(address, bytes * slots) }
    }
}
