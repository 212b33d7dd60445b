package dev.arraywright.raid.health

import kotlin.math.abs
import kotlin.math.exp
import kotlin.math.ln
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/**
 * Finds the member that is far slower than its peers, which shows a failing device before it returns errors.
 *
 * A member is compared with the others only (a slow one must not move the measure it is held against), by medians
 * (a few slow calls are no reason), in log space (latencies differ by factors). It must be far by the ratio *and* by
 * the peers' own spread: unlike devices in one array are far apart every day. With a single peer there is no spread,
 * and the ratio is doubled. Load cannot be the reason, since all members of an array share it.
 *
 * Not thread-safe: one supervisor asks, every few seconds.
 */
public class LatencyOutliers(
    private val time: TimeSource,
    private val limits: () -> OutlierLimits = { OutlierLimits() },
) {
    private class Suspicion(val since: TimeMark) {
        var looks = 0
    }

    private val suspicions = HashMap<String, Suspicion>()

    /** Looks at all [members] (by id) and returns those that are outliers, each with an explanation for people. */
    public fun look(members: Map<String, MemberLatency>): Map<String, String> {
        val limits = limits()
        val judged = members.filterValues { it.samples >= limits.minimumSamples }
        val slow = LinkedHashMap<String, String>()
        for ((id, latency) in judged) explain(latency, judged - id, limits)?.let { slow[id] = it }
        suspicions.keys.retainAll(slow.keys)
        return slow.filterKeys { id ->
            val suspicion = suspicions.getOrPut(id) { Suspicion(time.markNow()) }
            suspicion.looks++
            suspicion.looks >= LOOKS && suspicion.since.elapsedNow() >= limits.persistently
        }
    }

    private fun explain(latency: MemberLatency, peers: Map<String, MemberLatency>, limits: OutlierLimits): String? {
        if (peers.isEmpty() || latency.median < limits.floor) return null
        val logs = peers.values.map { log(it.median) }
        val middle = median(logs)
        val above = log(latency.median) - middle
        val far = if (logs.size == 1)
            above >= ln(2 * limits.ratio)
        else {
            val deviation = maxOf(NORMAL * median(logs.map { abs(it - middle) }), LEAST_DEVIATION)
            // Few peers that differ say little about their spread; it may ask for the ratio twice over, not for more.
            above >= ln(limits.ratio) * (limits.deviations * deviation / ln(limits.ratio)).coerceIn(1.0, 2.0)
        }
        if (!far) return null
        val others = exp(middle).nanoseconds
        val whose = if (logs.size == 1) "the other's" else "the others'"
        return "its median read takes ${show(latency.median)}, $whose ${show(others)}"
    }

    private fun log(median: Duration) = ln(median.inWholeNanoseconds.coerceAtLeast(1).toDouble())

    private fun median(values: List<Double>): Double {
        val sorted = values.sorted()
        return (sorted[(sorted.size - 1) / 2] + sorted[sorted.size / 2]) / 2
    }

    private fun show(duration: Duration): String = when {
        duration >= 10.milliseconds -> "${duration.inWholeMilliseconds} ms"
        duration >= 1.milliseconds -> "${duration.inWholeMicroseconds / 100 / 10.0} ms"
        duration >= 1.microseconds -> "${duration.inWholeMicroseconds} µs"
        else -> "${duration.inWholeNanoseconds} ns"
    }

    private companion object {
        /** A single long silence between two looks is no persistence. */
        const val LOOKS = 3

        /** Makes a median absolute deviation comparable to a standard deviation. */
        const val NORMAL = 1.4826

        /** Members that are alike to the microsecond have no spread to speak of; 5 % is what time itself varies. */
        const val LEAST_DEVIATION = 0.05
    }
}
