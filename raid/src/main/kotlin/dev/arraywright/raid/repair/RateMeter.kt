package dev.arraywright.raid.repair

import kotlin.time.ComparableTimeMark
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/** Bytes a second over the last few seconds. For one coroutine at a time. */
internal class RateMeter(private val time: TimeSource.WithComparableMarks) {
    private val marks = ArrayDeque<Pair<ComparableTimeMark, Long>>()

    /** Bytes a second; 0 until there is something to go by. */
    val rate: Long
        get() {
            val (since, before) = marks.firstOrNull() ?: return 0
            val (until, done) = marks.last()
            val seconds = (until - since).toDouble(DurationUnit.SECONDS)
            return if (seconds <= 0.0) 0 else ((done - before) / seconds).toLong()
        }

    /** [done] bytes by now. */
    fun mark(done: Long) {
        val now = time.markNow()
        if (marks.size > 1 && now - marks.last().first < STEP) marks.removeLast()
        marks += now to done
        while (marks.size > 2 && now - marks[1].first > WINDOW) marks.removeFirst()
    }

    /** How long [left] bytes take; null where nothing tells. */
    fun remaining(left: Long): Duration? = rate.takeIf { it > 0 }?.let { (left.toDouble() / it).seconds }

    private companion object {
        val WINDOW = 10.seconds
        val STEP = 0.25.seconds
    }
}
