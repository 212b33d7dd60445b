package dev.arraywright.kernel.driver.serve

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

    val figures: CallFigures
        get() {
            val calls = called.sum()
            val mean = if (calls == 0L) Duration.ZERO else (nanos.sum() / calls).nanoseconds
            return CallFigures(opened.get(), calls, failed.sum(), mean, longest.get().nanoseconds)
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
        }
    }
}

/**
 * What a driver was asked for since it was loaded first, and how it did.
 *
 * @property opens devices opened
 * @property calls on its devices; how long they took is [meanLatency] and [maxLatency]
 * @property errors opens and calls that failed
 */
public data class CallFigures(
    public val opens: Long = 0,
    public val calls: Long = 0,
    public val errors: Long = 0,
    public val meanLatency: Duration = Duration.ZERO,
    public val maxLatency: Duration = Duration.ZERO,
)
