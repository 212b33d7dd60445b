package dev.arraywright.raid.health

import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** What a member's latest calls took: [median] of [samples] of them. */
public data class MemberLatency(public val samples: Int, public val median: Duration)

/**
 * What the latest [size] calls of a member took, as far as they ended within [age]. Thread-safe; adding takes a lock
 * for a few instructions and allocates nothing.
 */
public class LatencyWindow(
    time: TimeSource,
    private val size: Int = 256,
    private val age: Duration = 60.seconds,
) {
    private val origin = time.markNow()
    private val took = LongArray(size)
    private val ended = LongArray(size)
    private var added = 0L

    init {
        require(size > 0) { "a window of $size samples" }
        require(age.isPositive()) { "the age must be above 0, not $age" }
    }

    /** A call has ended that took [latency]; one that missed its deadline counts with that. */
    public fun add(latency: Duration) {
        synchronized(took) {
            val slot = (added++ % size).toInt()
            took[slot] = latency.inWholeNanoseconds.coerceAtLeast(0)
            ended[slot] = origin.elapsedNow().inWholeNanoseconds
        }
    }

    /** What the share [q] of the calls did not exceed; null if there were none. */
    public fun quantile(q: Double): Duration? {
        require(q in 0.0..1.0) { "a quantile is from 0 to 1, not $q" }
        return recent().quantile(q)
    }

    /** Their median, and how many they were. */
    public fun summary(): MemberLatency {
        val recent = recent()
        return MemberLatency(recent.size, recent.quantile(0.5) ?: Duration.ZERO)
    }

    /** Forgets all calls, as when the member was replaced. */
    public fun clear() {
        synchronized(took) { added = 0 }
    }

    private fun recent(): LongArray {
        val recent = LongArray(size)
        var count = 0
        synchronized(took) {
            val since = (origin.elapsedNow() - age).inWholeNanoseconds
            for (slot in 0 until minOf(added, size.toLong()).toInt()) {
                if (ended[slot] >= since) recent[count++] = took[slot]
            }
        }
        return recent.copyOf(count).apply { sort() }
    }

    private fun LongArray.quantile(q: Double): Duration? =
        if (isEmpty()) null else this[((size - 1) * q).toInt()].nanoseconds
}
