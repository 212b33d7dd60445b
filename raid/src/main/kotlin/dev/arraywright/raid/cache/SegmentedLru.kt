package dev.arraywright.raid.cache

/**
 * Which entry is the least useful: least recently used ones first, in two segments. An entry is on trial until it is
 * used again, and then kept; the kept ones are four of five at most, the rest go on trial once more. So a long run of
 * entries that are used once pushes out its like, and not what is used again and again. Not thread-safe.
 */
internal class SegmentedLru<E : SegmentedLru.Entry> {
    private val trial = Segment()
    private val kept = Segment()

    val size: Int get() = trial.size + kept.size

    /** Takes in an entry that is in no order yet. */
    fun add(entry: E) {
        trial.addFirst(entry)
        balance()
    }

    /** The entry was of use. */
    fun used(entry: E) {
        remove(entry)
        kept.addFirst(entry)
        balance()
    }

    fun remove(entry: E) {
        checkNotNull(entry.segment) { "it is in no order" }.remove(entry)
    }

    /** The least useful; null if there is none. */
    @Suppress("UNCHECKED_CAST")
    fun last(): E? = (trial.last ?: kept.last) as E?

    private fun balance() {
        while (kept.size.toLong() * KEPT_OF > size.toLong() * KEPT) {
            val demoted = kept.last!!
            kept.remove(demoted)
            trial.addFirst(demoted)
        }
    }

    /** Something that can be in an order, and in one only. */
    open class Entry {
        internal var segment: Segment? = null
        internal var newer: Entry? = null
        internal var older: Entry? = null
    }

    /** A doubly linked list. */
    internal class Segment {
        private var first: Entry? = null
        var last: Entry? = null
            private set
        var size = 0
            private set

        fun addFirst(entry: Entry) {
            check(entry.segment == null) { "it is in an order already" }
            entry.segment = this
            entry.older = first
            first?.newer = entry
            first = entry
            if (last == null) last = entry
            size++
        }

        fun remove(entry: Entry) {
            val newer = entry.newer
            val older = entry.older
            if (newer == null) first = older else newer.older = older
            if (older == null) last = newer else older.newer = newer
            entry.newer = null
            entry.older = null
            entry.segment = null
            size--
        }
    }

    private companion object {
        const val KEPT = 4
        const val KEPT_OF = 5
    }
}
