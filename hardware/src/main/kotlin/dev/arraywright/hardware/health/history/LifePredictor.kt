package dev.arraywright.hardware.health.history

import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.LifeBasis
import dev.arraywright.hardware.health.LifeTrend
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.DurationUnit
import kotlin.time.Instant

/**
 * When a device's life ends, if it goes on as it did. Pure.
 *
 * The slope is Theil and Sen's: the median of the slopes between any two points. A figure that a device misreports
 * once, or sets back by an update, moves least squares at will but not a median, and up to 29 % of the points may be
 * such. The figures are whole numbers, so between two steps they tell nothing (most pairs would have slope 0): the
 * points are the steps alone, and the time since the last one bounds the slope from above. Null with fewer than
 * [LEAST_STEPS] steps or less than [LEAST_SPAN] between them.
 */
internal object LifePredictor {
    const val LEAST_STEPS = 4
    private val LEAST_SPAN = 7.days

    /** Farther than anybody plans. */
    private val FARTHEST = 36_500.days

    fun predict(history: HealthHistory, reading: HealthReading, policy: HealthPolicy, now: Instant): LifeTrend? {
        val samples = history.samples
        val threshold = reading.spareThreshold ?: policy.spareWarning
        return listOfNotNull(
            reading.percentageUsed?.let { used ->
                trend(LifeBasis.PERCENTAGE_USED, samples.points { it.percentageUsed?.toDouble() }, used, 100.0, now)
            },
            reading.availableSpare?.let { spare ->
                val points = samples.points { it.availableSpare?.let { spare -> -spare.toDouble() } }
                trend(LifeBasis.AVAILABLE_SPARE, points, -spare, -threshold.toDouble(), now)
            },
            reading.reallocatedSectors?.let { sectors ->
                val points = samples.points { it.reallocatedSectors?.toDouble() }
                trend(LifeBasis.REALLOCATED_SECTORS, points, sectors, policy.reallocatedSectors.toDouble(), now)
            },
        ).minByOrNull { it.left }
    }

    /** Points are (days, value), and values grow towards [end]. */
    private fun trend(
        basis: LifeBasis,
        points: List<Pair<Instant, Double>>,
        current: Number,
        end: Double,
        now: Instant,
    ): LifeTrend? {
        val steps = points.filterIndexed { i, point -> i == 0 || points[i - 1].second != point.second }
        // The first point is no step: nobody knows how long the value had been there.
        if (steps.size <= LEAST_STEPS || steps.last().first - steps[1].first < LEAST_SPAN) return null
        val unit = steps.zipWithNext { a, b -> kotlin.math.abs(b.second - a.second) }.sorted().let { it[it.size / 2] }
        val since = inDays(now - steps.last().first)
        val slope = slope(steps.drop(1)).coerceAtMost(if (since > 0) unit / since else Double.MAX_VALUE)
        if (slope <= 0) return null
        val left = ((end - current.toDouble()) / slope).coerceIn(0.0, inDays(FARTHEST))
        return LifeTrend(basis, slope, left.days)
    }

    /** The median of the slopes of all pairs, a day. */
    fun slope(points: List<Pair<Instant, Double>>): Double {
        val slopes = DoubleArray(points.size * (points.size - 1) / 2)
        var count = 0
        for (i in points.indices) {
            for (j in i + 1 until points.size) {
                val days = inDays(points[j].first - points[i].first)
                if (days > 0) slopes[count++] = (points[j].second - points[i].second) / days
            }
        }
        if (count == 0) return 0.0
        slopes.sort(0, count)
        return (slopes[(count - 1) / 2] + slopes[count / 2]) / 2
    }

    private fun List<HealthSample>.points(value: (HealthSample) -> Double?): List<Pair<Instant, Double>> =
        mapNotNull { sample -> value(sample)?.let { sample.time to it } }

    private fun inDays(duration: Duration): Double = duration.toDouble(DurationUnit.DAYS)
}
