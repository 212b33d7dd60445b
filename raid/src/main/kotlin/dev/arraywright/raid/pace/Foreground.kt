package dev.arraywright.raid.pace

import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.TimeSource

/**
 * What clients do, and whether background work was there meanwhile. Thread-safe; clients never wait here. All times are
 * nanoseconds since it was made.
 *
 * | a request that began                     | and until its end | counts as   |
 * | ---------------------------------------- | ----------------- | ----------- |
 * | while work was let in                    | whatever          | beside work |
 * | in a quiet interval, once it had settled | no work came      | calm        |
 * | in a quiet interval                      | otherwise         | neither     |
 */
internal class Foreground(time: TimeSource) {
    private val origin = time.markNow()
    private val requests = AtomicInteger()
    private val work = AtomicInteger()

    @Volatile
    private var seen = LONG_AGO

    /** When a batch of work last ended. */
    @Volatile
    var worked: Long = LONG_AGO
        private set

    @Volatile
    private var quietSince = NEVER

    val calm = LatencyRecorder()
    val besideWork = LatencyRecorder()

    fun now(): Long = origin.elapsedNow().inWholeNanoseconds

    fun started(): Long {
        requests.incrementAndGet()
        val now = now()
        seen = now
        return now
    }

    fun ended(started: Long) {
        val now = now()
        seen = now
        requests.decrementAndGet()
        val quiet = quietSince
        if (started < quiet)
            besideWork.add(now - started)
        else if (work.get() == 0 && started >= maxOf(quiet, worked) + SETTLING)
            calm.add(now - started)
    }

    /** Whether clients have requests under way or had some just now. */
    fun active(now: Long): Boolean = requests.get() > 0 || now - seen < LINGER

    fun workBegan() {
        work.incrementAndGet()
    }

    fun workEnded() {
        // In this order: whoever sees no work under way must see when it ended.
        worked = now()
        check(work.getAndDecrement() > 0) { "finished without admit" }
    }

    /** From [since] on no work is let in, until [noise]. */
    fun quiet(since: Long) {
        quietSince = since
    }

    fun noise() {
        quietSince = NEVER
    }

    private companion object {
        const val NEVER = Long.MAX_VALUE
        const val LONG_AGO = Long.MIN_VALUE / 4
        const val LINGER = 200 * MILLISECOND

        /** For so long the queues that background work has filled may still hold clients up. */
        const val SETTLING = 25 * MILLISECOND
    }
}

internal const val MILLISECOND = 1_000_000L
