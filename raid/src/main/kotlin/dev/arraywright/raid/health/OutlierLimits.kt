package dev.arraywright.raid.health

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * When a member is slow enough, beside its peers, to be called failing.
 *
 * @param ratio so many times the peers' median latency
 * @param deviations and so many of the peers' median absolute deviations above it, in log space
 * @param minimumSamples members with fewer recent calls neither judge nor are judged
 * @param floor below it a member is never slow
 * @param persistently for so long without a break
 */
public data class OutlierLimits(
    public val ratio: Double = 5.0,
    public val deviations: Double = 8.0,
    public val minimumSamples: Int = 50,
    public val floor: Duration = 20.milliseconds,
    public val persistently: Duration = 60.seconds,
) {
    init {
        require(ratio > 1) { "the ratio must be above 1, not $ratio" }
        require(deviations > 0) { "the deviations must be above 0, not $deviations" }
        require(minimumSamples > 0) { "the minimum of samples must be above 0, not $minimumSamples" }
        require(!floor.isNegative()) { "the floor must not be negative: $floor" }
        require(!persistently.isNegative()) { "the time must not be negative: $persistently" }
    }
}
