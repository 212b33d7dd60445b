package dev.arraywright.raid.simulation

/**
 * What an array may answer, byte by byte. Each write has a number, and its byte at an offset is that number plus a hash
 * of the offset: so two writes never agree in a byte, and a byte in the wrong place is noticed.
 *
 * Two sets of writes are kept for each byte: `live`, whose bytes a read may see now, and `crash`, whose bytes may be on
 * the disks should the power fail. A write is added to both when it begins. What ended before it began leaves `live`
 * when it is acknowledged, and `crash` when a flush ends that began after that. What was read while nothing was being
 * written stays so: the other writes leave `live`.
 */
class ByteModel(private val size: Int, zeroed: Boolean) {
    private val sets = ArrayList<IntArray>()
    private val numbers = HashMap<List<Int>, Int>()
    private val live = IntArray(size)
    private val crash = IntArray(size)
    private val writes = arrayListOf(Write(0, 0, size).also { it.end = 0 })
    private val reads = LinkedHashSet<Read>()
    private var tick = 0L

    init {
        val first = intern(listOf(if (zeroed) ZERO else UNKNOWN))
        live.fill(first)
        crash.fill(first)
    }

    /** False while any of several bytes may be read each time, as of a copy that answers late, or not. */
    var settles = true

    /** False once there are no numbers left. */
    val writable: Boolean get() = writes.size < UNKNOWN

    fun beginWrite(from: Int, until: Int): Write {
        val write = Write(writes.size, from, until)
        writes += write
        each(live, from, until) { it + write.id }
        each(crash, from, until) { it + write.id }
        for (read in reads) if (read.from < until && from < read.until) read.meanwhile += write.id
        return write
    }

    /** What the write writes. */
    fun bytes(write: Write): ByteArray = ByteArray(write.until - write.from) { byte(write.id, write.from + it) }

    /** After an error ([acknowledged] is false) the bytes may be there or not, in part as well. */
    fun endWrite(write: Write, acknowledged: Boolean) {
        write.end = ++tick
        if (!acknowledged) return
        write.acknowledged = true
        each(live, write.from, write.until) { set -> set.filterNot { superseded(it, write) } }
    }

    fun beginRead(from: Int, until: Int): Read =
        Read(from, until, live.copyOfRange(from, until), open(from, until).isEmpty()).also { reads += it }

    /** Throws if a byte is none that was to be expected. */
    fun endRead(read: Read, bytes: ByteArray?) {
        reads -= read
        if (bytes == null) return
        for (i in bytes.indices) {
            val offset = read.from + i
            val allowed = sets[read.before[i]]
            if (allowed.none {
                    matches(it, bytes[i], offset)
                } && read.meanwhile.none { matches(it, bytes[i], offset) }
            ) {
                wrong(offset, bytes[i], allowed.toList() + read.meanwhile)
            }
        }
        if (settles && read.quiet && read.meanwhile.isEmpty()) settle(read, bytes)
    }

    fun beginFlush(): List<Write> = writes.filter { it.end != null && !it.flushed }

    fun endFlush(covered: List<Write>) {
        for (write in covered) {
            write.flushed = true
            if (write.acknowledged) {
                each(crash, write.from, write.until) { set -> set.filterNot { superseded(it, write) } }
            }
        }
    }

    /** The power fails. Returns the ranges that no flush covers. */
    fun powerCut(): List<IntRange> {
        for (write in open(0, size)) write.end = ++tick
        reads.clear()
        crash.copyInto(live)
        settles = true
        val unflushed = writes.drop(1).filter { !it.flushed }
        // No later flush covers them: what of them is not on a disk now will never be.
        for (write in unflushed) write.lost()
        return unflushed.map { it.from until it.until }
    }

    /** What a range holds may have been lost. */
    fun forget(from: Int, until: Int) {
        each(live, from, until) { it + UNKNOWN }
        each(crash, from, until) { it + UNKNOWN }
        for (read in reads) if (read.from < until && from < read.until) read.meanwhile += UNKNOWN
    }

    /** Another copy may be read from now on. */
    fun reopen(from: Int, until: Int) {
        for (read in reads) {
            for (b in maxOf(from, read.from) until minOf(until, read.until)) read.meanwhile += sets[crash[b]].toList()
        }
        crash.copyInto(live, from, from, until)
    }

    private fun open(from: Int, until: Int) = writes.filter { it.end == null && it.from < until && from < it.until }

    private fun superseded(id: Int, by: Write): Boolean =
        id != by.id && (id == ZERO || id == UNKNOWN || writes[id].end.let { it != null && it <= by.start })

    private fun settle(read: Read, bytes: ByteArray) {
        for (i in bytes.indices) {
            val set = sets[live[read.from + i]]
            if (set.size < 2 || UNKNOWN in set) continue
            val rest = set.filter { matches(it, bytes[i], read.from + i) }
            if (rest.isEmpty()) wrong(read.from + i, bytes[i], set.toList())
            live[read.from + i] = intern(rest)
        }
    }

    private fun matches(id: Int, byte: Byte, offset: Int): Boolean = when (id) {
        UNKNOWN -> true
        ZERO -> byte.toInt() == 0
        else -> byte == byte(id, offset)
    }

    private fun wrong(offset: Int, byte: Byte, allowed: List<Int>): Nothing {
        val found = (1 until writes.size).firstOrNull { matches(it, byte, offset) }?.let(writes::get)
        throw AssertionError(
            "byte $offset is $byte (of write $found), not of ${allowed.map {
                writes.getOrNull(it) ?: it
            }}",
        )
    }

    private inline fun each(of: IntArray, from: Int, until: Int, change: (List<Int>) -> List<Int>) {
        var before = -1
        var after = -1
        for (b in from until until) {
            if (of[b] != before) {
                before = of[b]
                after = intern(change(sets[before].toList()).distinct().sorted())
            }
            of[b] = after
        }
    }

    private fun intern(set: List<Int>): Int = numbers.getOrPut(set) { sets.add(set.toIntArray()).let { sets.size - 1 } }

    /** Bytes [from] until [until]; times are ticks. */
    inner class Write(val id: Int, val from: Int, val until: Int) {
        val start = tick++
        var end: Long? = null
        var acknowledged = false
        var flushed = false

        fun lost() {
            acknowledged = false
            flushed = true
        }

        override fun toString() = "#$id[$from,$until) $start..$end acked $acknowledged flushed $flushed"
    }

    /** [quiet]: no write was under way when it began. */
    class Read(val from: Int, val until: Int, val before: IntArray, val quiet: Boolean) {
        val meanwhile = LinkedHashSet<Int>()
    }

    private companion object {
        const val ZERO = 0
        const val UNKNOWN = 255

        fun byte(id: Int, offset: Int): Byte = (id + ((offset * -0x61c88647) ushr 21)).toByte()
    }
}
