package dev.arraywright.raid.pace

import java.util.concurrent.atomic.AtomicLongArray

/** Counts latencies from many threads; adding one is one atomic increment. */
public class LatencyRecorder {
    private val counts = AtomicLongArray(Latencies.BUCKETS)

    /** Counts one; less than nothing is nothing. */
    public fun add(nanoseconds: Long) {
        counts.incrementAndGet(Latencies.bucket(nanoseconds))
    }

    /** What was counted so far, and is counted on. */
    public fun snapshot(): Latencies {
        val latencies = Latencies()
        for (bucket in 0 until Latencies.BUCKETS) {
            val count = counts.get(bucket)
            if (count != 0L) latencies.add(bucket, count.toDouble())
        }
        return latencies
    }

    /** Moves what was counted into [latencies]. */
    internal fun drainTo(latencies: Latencies) {
        for (bucket in 0 until Latencies.BUCKETS) {
            if (counts.get(bucket) != 0L) latencies.add(bucket, counts.getAndSet(bucket, 0).toDouble())
        }
    }
}

/**
 * A histogram of latencies that can forget. Its buckets are 32 to each power of two, so a quantile is off by 3 % at
 * most; below a microsecond they are 32 ns wide, and all above four minutes is the last one. Not thread-safe.
 */
public class Latencies internal constructor() {
    private val counts = DoubleArray(BUCKETS)

    /** How many latencies it holds, old ones counting less. */
    public var total: Double = 0.0
        private set

    internal fun add(bucket: Int, count: Double) {
        counts[bucket] += count
        total += count
    }

    internal fun add(other: Latencies) {
        for (bucket in counts.indices) if (other.counts[bucket] != 0.0) add(bucket, other.counts[bucket])
    }

    /** Lets all that is in it count [factor] times as much. */
    internal fun scale(factor: Double) {
        for (bucket in counts.indices) counts[bucket] *= factor
        total *= factor
    }

    internal fun clear() {
        counts.fill(0.0)
        total = 0.0
    }

    /** The nanoseconds that the share [q] of the latencies does not exceed; of none, they mean nothing. */
    public fun quantile(q: Double): Double {
        var left = q * total
        for (bucket in counts.indices) {
            val count = counts[bucket]
            if (count > 0 && left <= count) {
                val lower = lower(bucket).toDouble()
                return lower + (lower(bucket + 1) - lower) * (left / count)
            }
            left -= count
        }
        return lower(BUCKETS).toDouble()
    }

    /** How many exceed [nanoseconds]. */
    internal fun above(nanoseconds: Double): Double {
        val bucket = bucket(nanoseconds.toLong())
        var above = 0.0
        for (higher in bucket + 1 until BUCKETS) above += counts[higher]
        val share = (lower(bucket + 1) - nanoseconds) / (lower(bucket + 1) - lower(bucket))
        return above + counts[bucket] * share.coerceIn(0.0, 1.0)
    }

    internal companion object {
        private const val BITS = 5
        private const val EACH = 1 shl BITS
        const val BUCKETS = 30 * EACH

        fun bucket(nanoseconds: Long): Int {
            val units = nanoseconds.coerceAtLeast(0) shr BITS
            if (units < EACH) return units.toInt()
            val octave = Long.SIZE_BITS - 1 - units.countLeadingZeroBits() - BITS
            val within = (units shr octave).toInt() and (EACH - 1)
            return ((octave + 1) * EACH + within).coerceAtMost(BUCKETS - 1)
        }

        /** The least nanoseconds that belong to [bucket]. */
        fun lower(bucket: Int): Long {
            if (bucket < EACH) return bucket.toLong() shl BITS
            val octave = bucket / EACH - 1
            return (EACH + bucket % EACH).toLong() shl (octave + BITS)
        }
    }
}
