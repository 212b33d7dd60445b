package dev.arraywright.kernel.driver.serve

import dev.arraywright.raid.pace.LatencyRecorder
import java.util.concurrent.atomic.AtomicLong
import java.util.concurrent.atomic.LongAccumulator
import java.util.concurrent.atomic.LongAdder
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.TimeSource

/** Counts what a driver is asked for, over all its lives. Thread-safe, and cheap enough for each read and write. */
internal class DriverMeter(private val time: TimeSource) {
    private val opened = AtomicLong()
    private val called = LongAdder()
    private val failed = LongAdder()
    private val nanos = LongAdder()
    private val longest = LongAccumulator(Long::coerceAtLeast, 0)
    private val latencies = LatencyRecorder()

    val figures: CallFigures
        get() {
            val calls = called.sum()
            val mean = if (calls == 0L) Duration.ZERO else (nanos.sum() / calls).nanoseconds
            val max = longest.get().nanoseconds
            val seen = latencies.snapshot()

            // A quantile is known to 3 %, which is not to make it exceed the longest of all.
            fun quantile(q: Double) =
                if (seen.total == 0.0) Duration.ZERO else seen.quantile(q).nanoseconds.coerceAtMost(max)
            return CallFigures(opened.get(), calls, failed.sum(), mean, max, quantile(0.5), quantile(0.99))
        }

    fun opened() {
        opened.incrementAndGet()
    }

    fun failed() {
        failed.increment()
    }

    /** Times a call on a device. */
    inline fun <T> timed(call: () -> T): T {
        val start = time.markNow()
        try {
            return call()
        } finally {
            val took = start.elapsedNow().inWholeNanoseconds
            called.increment()
            nanos.add(took)
            longest.accumulate(took)
            latencies.add(took)
        }
    }

    /** As [timed], and counts what fails. */
    inline fun <T> counted(call: () -> T): T = timed {
        try {
            call()
        } catch (e: Throwable) {
            failed()
            throw e
        }
    }
}

/**
 * What a driver was asked for since it was loaded first, and how it did.
 *
 * @property opens devices opened
 * @property calls on its devices; how long they took is [meanLatency], [maxLatency], and [p50] and [p99], which half and all but
 *   a hundredth of them did not exceed, each known to 3 %
 * @property errors opens and calls that failed
 */
public data class CallFigures(
    public val opens: Long = 0,
    public val calls: Long = 0,
    public val errors: Long = 0,
    public val meanLatency: Duration = Duration.ZERO,
    public val maxLatency: Duration = Duration.ZERO,
    public val p50: Duration = Duration.ZERO,
    public val p99: Duration = Duration.ZERO,
)
