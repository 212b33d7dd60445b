package dev.arraywright.raid.simulation

import java.util.TreeMap
import kotlin.time.Duration
import kotlin.time.DurationUnit

/** What happened in stories, all together. */
internal class Tally {
    private val faults = TreeMap<String, Int>()
    private val done = TreeMap<String, Int>()
    var powerCuts = 0
    var cacheHits = 0L
    var time: Duration = Duration.ZERO

    fun fault(kind: String) {
        faults.merge(kind, 1, Int::plus)
    }

    fun done(kind: String) {
        done.merge(kind, 1, Int::plus)
    }

    fun told(seeds: Long): String {
        val hours = "%.1f".format(time.toDouble(DurationUnit.HOURS))
        val told = "${faults.values.sum()} faults $faults"
        return "$seeds seeds, $hours simulated hours, $powerCuts power cuts, $cacheHits cache hits, $told, $done"
    }
}
