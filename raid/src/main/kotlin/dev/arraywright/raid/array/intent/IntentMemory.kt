package dev.arraywright.raid.array.intent

import dev.arraywright.raid.metadata.BitmapDescriptor.HEADER_SIZE
import dev.arraywright.raid.metadata.BitmapHeader
import java.nio.ByteBuffer
import java.util.BitSet

/**
 * The bitmap in memory: sets of chunks, thread-safe, never waiting. Each block made of it shows the header and all bits
 * of [set] as they are at that moment.
 *
 * ```
 * set       in every block that is made from now on
 * stable    set on stable storage of every member that takes writes; always part of set; at first nothing, as the
 *           bits were read from one member
 * needed    to be gone over before it may be cleared;                always part of set
 * idle      set, and unused since the last pass;                     always part of set
 * unwritten blocks that changed since they were last taken for a round
 * ```
 */
internal class IntentMemory(header: BitmapHeader, bits: BitSet, needed: Boolean, private val blockSize: Int) {
    private val chunk = header.chunk().toLong()
    private val chunks = header.chunks()
    private val syncSize = header.syncSize()
    private val users = IntArray(chunks)
    private val set = bits.clone() as BitSet
    private val stable = BitSet(chunks)
    private val needed = if (needed) bits.clone() as BitSet else BitSet(chunks)
    private val idle = BitSet(chunks)
    private val unwritten = BitSet()
    private val sweep = Sweep(header)
    private var current = header

    init {
        require(blockSize >= HEADER_SIZE && bits.length() <= chunks) { "${bits.length()} bits of $chunks" }
    }

    val header: BitmapHeader get() = synchronized(this) { current }

    val dirtyChunks: Int get() = synchronized(this) { set.cardinality() }

    val neededChunks: Int get() = synchronized(this) { needed.cardinality() }

    /** True if a block differs from what was last written. */
    val changed: Boolean get() = synchronized(this) { !unwritten.isEmpty }

    /** The chunks that bytes [from] until [until] are in. */
    fun chunks(from: Long, until: Long): IntRange {
        require(from in 0..<until && until <= syncSize) { "no range of $syncSize bytes: $from until $until" }
        return (from / chunk).toInt()..((until - 1) / chunk).toInt()
    }

    /** Counts a user of the chunks in; true if all of them are stable. */
    fun enter(range: IntRange): Boolean = synchronized(this) {
        var ready = true
        for (i in range) {
            users[i]++
            idle.clear(i)
            set.set(i)
            if (!stable[i]) {
                ready = false
                unwritten.set(blockOf(i))
            }
        }
        ready
    }

    fun leave(range: IntRange, everywhere: Boolean) {
        synchronized(this) {
            for (i in range) {
                check(--users[i] >= 0) { "chunk $i was left more often than entered" }
                idle.clear(i)
                if (!everywhere) {
                    needed.set(i)
                    sweep.missed(i)
                }
            }
        }
    }

    fun isDirty(range: IntRange): Boolean = synchronized(this) { set.nextSetBit(range.first) in range }

    fun isNeeded(range: IntRange): Boolean = synchronized(this) { needed.nextSetBit(range.first) in range }

    fun needAll() {
        synchronized(this) {
            needed.or(set)
            sweep.reset()
        }
    }

    fun resynced(from: Long, until: Long) {
        chunks(from, until)
        synchronized(this) {
            val done = sweep.advance(from, until)
            if (!done.isEmpty()) needed.clear(done.first, done.last + 1)
        }
    }

    /** Begins a pass; the chunks that were unused during the whole of the last one. */
    fun pass(): BitSet = synchronized(this) {
        val unused = idle.clone() as BitSet
        idle.or(set)
        idle.andNot(needed)
        idle.forEach { if (users[it] > 0) idle.clear(it) }
        unused
    }

    /** Brings events_cleared up to date if any of [unused] can be cleared and it is not; true if it did. */
    fun raiseEventsCleared(unused: BitSet): Boolean = synchronized(this) {
        val raises = current.eventsCleared() < current.events() && !clearable(unused).isEmpty
        if (raises) {
            current = current.withEventsCleared(current.events())
            unwritten.set(0)
        }
        raises
    }

    /** Clears those of [unused] that still are. */
    fun clear(unused: BitSet) {
        synchronized(this) {
            val cleared = clearable(unused)
            cleared.forEach { unwritten.set(blockOf(it)) }
            for (bits in listOf(set, stable, idle)) bits.andNot(cleared)
        }
    }

    /** The changed blocks, for a round to write; null if there are none. */
    fun take(): Image? = synchronized(this) {
        if (unwritten.isEmpty) return null
        val numbers = unwritten.clone() as BitSet
        unwritten.clear()
        Image(numbers, runs(numbers), set.clone() as BitSet, current.events())
    }

    /** The image is on stable storage; true if it may lie over a later header, and has to be followed by another. */
    fun written(image: Image): Boolean = synchronized(this) {
        image.numbers.forEach { block ->
            val promised = image.bits.get(firstBit(block), minOf(firstBit(block + 1), chunks))
            promised.forEach { stable.set(firstBit(block) + it) }
        }
        val late = image.numbers[0] && image.events != current.events()
        if (late) unwritten.set(0)
        late
    }

    /** The image is somewhere or nowhere. */
    fun failed(image: Image) {
        synchronized(this) { unwritten.or(image.numbers) }
    }

    fun all(): List<IntentBlock> = synchronized(this) {
        runs(BitSet().apply { set(0, current.areaSize(blockSize) / blockSize) })
    }

    fun first(events: Long): IntentBlock = synchronized(this) {
        current = current.withEvents(events)
        run(0, 1)
    }

    private fun clearable(unused: BitSet): BitSet {
        val result = unused.clone() as BitSet
        result.and(idle)
        result.andNot(needed)
        result.forEach { check(users[it] == 0) { "chunk $it is idle and in use" } }
        return result
    }

    private fun blockOf(bit: Int): Int = (HEADER_SIZE + bit / 8) / blockSize

    private fun firstBit(block: Int): Int = maxOf(0, (block * blockSize - HEADER_SIZE) * 8)

    /** Neighbours become one block, up to a bound that suits any buffer. */
    private fun runs(numbers: BitSet): List<IntentBlock> = buildList {
        var from = numbers.nextSetBit(0)
        while (from >= 0) {
            val end = minOf(numbers.nextClearBit(from), from + maxOf(1, MAX_RUN / blockSize))
            add(run(from, end))
            from = numbers.nextSetBit(end)
        }
    }

    private fun run(from: Int, until: Int): IntentBlock {
        val bytes = ByteBuffer.allocate((until - from) * blockSize)
        if (from == 0) current.encode(bytes)
        val bits = set.get(firstBit(from), minOf(firstBit(until), chunks)).toByteArray()
        bytes.put(bits)
        return IntentBlock(from.toLong() * blockSize, bytes.array())
    }

    /** Blocks [numbers] as they were once: [bits] were set, the header had [events]. */
    class Image(val numbers: BitSet, val blocks: List<IntentBlock>, val bits: BitSet, val events: Long)

    private companion object {
        const val MAX_RUN = 64 * 1024
    }
}

private inline fun BitSet.forEach(action: (Int) -> Unit) {
    var i = nextSetBit(0)
    while (i >= 0) {
        action(i)
        i = nextSetBit(i + 1)
    }
}
