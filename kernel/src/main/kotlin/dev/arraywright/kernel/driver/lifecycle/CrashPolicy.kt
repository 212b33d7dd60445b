package dev.arraywright.kernel.driver.lifecycle

import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * What is done about a driver that fails while it runs: it is restarted after a pause that doubles each time, and put in
 * quarantine once it failed more than [restarts] times within [window].
 *
 * @property first the pause before the first restart
 * @property longest no pause is longer
 * @property jitter each pause is longer by a random part of it, this at most, so that drivers which failed together do
 *   not come back together
 */
public data class CrashPolicy(
    public val restarts: Int = 5,
    public val window: Duration = 10.minutes,
    public val first: Duration = 1.seconds,
    public val longest: Duration = 60.seconds,
    public val jitter: Double = 0.1,
) {
    init {
        require(restarts >= 0) { "restarts: not $restarts" }
        require(window.isPositive() && first.isPositive() && longest >= first) { "durations are above 0, and rising" }
        require(jitter in 0.0..1.0) { "jitter: $jitter is not within 0 and 1" }
    }

    /** How long to wait after the last of [crashes] within the window; null: quarantine. */
    internal fun pause(crashes: Int, random: Random): Duration? {
        if (crashes > restarts) return null
        // Beyond 30 doublings any first pause is above any longest one that makes sense.
        val doubled = first * (1L shl minOf(crashes - 1, 30)).toDouble()
        return minOf(doubled, longest) * (1 + jitter * random.nextDouble())
    }
}

/**
 * How long a driver may take for each call, and how often it is asked how it is.
 *
 * @property stop the grace that it has to end what it does
 * @property closeDevice for one of its devices, when it is unloaded although they are in use
 */
public data class DriverDeadlines(
    public val initialize: Duration = 10.seconds,
    public val start: Duration = 10.seconds,
    public val stop: Duration = 5.seconds,
    public val close: Duration = 5.seconds,
    public val closeDevice: Duration = 5.seconds,
    public val reconfigure: Duration = 10.seconds,
    public val health: Duration = 5.seconds,
    public val healthInterval: Duration = 30.seconds,
) {
    init {
        val all = listOf(initialize, start, stop, close, closeDevice, reconfigure, health, healthInterval)
        require(all.all(Duration::isPositive)) { "deadlines are above 0" }
    }
}
