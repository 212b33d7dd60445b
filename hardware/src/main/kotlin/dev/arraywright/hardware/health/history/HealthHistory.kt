package dev.arraywright.hardware.health.history

import dev.arraywright.hardware.health.HealthReading
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Instant

/** What is remembered of a reading: what trends and growth are computed from. [time] is of whole seconds. */
internal data class HealthSample(
    val time: Instant,
    val percentageUsed: Int? = null,
    val availableSpare: Int? = null,
    val temperature: Int? = null,
    val mediaErrors: Long? = null,
    val reallocatedSectors: Long? = null,
    val ioErrors: Long? = null,
) {
    companion object {
        fun of(reading: HealthReading, now: Instant): HealthSample = HealthSample(
            time = Instant.fromEpochSeconds(now.epochSeconds),
            percentageUsed = reading.percentageUsed,
            availableSpare = reading.availableSpare,
            temperature = reading.temperature,
            mediaErrors = reading.mediaErrors,
            reallocatedSectors = reading.reallocatedSectors,
            ioErrors = reading.troubles,
        )
    }
}

/** The kernel's errors and timeouts together: null if it counts neither. */
internal val HealthReading.troubles: Long?
    get() = if (ioErrors == null && ioTimeouts == null) null else saturated(ioErrors ?: 0, ioTimeouts ?: 0)

private fun saturated(a: Long, b: Long): Long = if (a > Long.MAX_VALUE - b) Long.MAX_VALUE else a + b

/**
 * A device's samples, oldest first: one an hour of the latest week, and before that one a day, of two years if it was
 * on every day. How old they may be is not bounded: a clock that is far ahead for once must not cost a history.
 * Immutable.
 */
internal class HealthHistory private constructor(val samples: List<HealthSample>) {
    /** With [sample], or the same object if the latest is less than an hour older. */
    fun plus(sample: HealthSample): HealthHistory {
        val latest = samples.lastOrNull()
        if (latest != null && sample.time >= latest.time && sample.time - latest.time < HOUR) return this
        return of(samples + sample, sample.time)
    }

    /**
     * How much a counter has grown a day, by the latest sample that is a day old, or else the oldest. Growth within
     * less than a day is not extrapolated. A counter that fell was reset, and all of it is growth.
     */
    fun growthPerDay(now: Instant, current: Long, counter: (HealthSample) -> Long?): Double {
        val told = samples.filter { it.time <= now && counter(it) != null }
        val base = told.lastOrNull { now - it.time >= DAY } ?: told.firstOrNull() ?: return 0.0
        val before = counter(base) ?: return 0.0
        val grown = if (current >= before) current - before else current
        return grown / ((now - base.time) / DAY).coerceAtLeast(1.0)
    }

    override fun equals(other: Any?): Boolean = other is HealthHistory && samples == other.samples

    override fun hashCode(): Int = samples.hashCode()

    override fun toString(): String = "HealthHistory$samples"

    companion object {
        /** No history has more samples, whatever its clock did. */
        const val LIMIT = 730 + 168
        private const val DAILY = 730
        private val HOUR: Duration = 1.hours
        private val DAY: Duration = 1.days
        private val WEEK: Duration = 7.days

        val EMPTY: HealthHistory = HealthHistory(emptyList())

        /** What is worth keeping of [samples] at [now]. Those of a future are of a clock that was wrong. */
        fun of(samples: Collection<HealthSample>, now: Instant): HealthHistory {
            val kept = ArrayList<HealthSample>()
            for (sample in samples.filter { it.time <= now }.sortedBy { it.time }) {
                val last = kept.lastOrNull()
                val daily = now - sample.time >= WEEK
                val near = last != null &&
                    if (daily) sample.time.day == last.time.day else sample.time - last.time < HOUR
                if (!near) kept += sample
            }
            val daily = kept.count { now - it.time >= WEEK }
            return HealthHistory(kept.drop((daily - DAILY).coerceAtLeast(0)))
        }

        private val Instant.day: Long get() = Math.floorDiv(epochSeconds, DAY.inWholeSeconds)
    }
}
