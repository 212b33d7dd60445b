package dev.arraywright.raid.spare

import dev.arraywright.raid.health.OutlierLimits
import dev.arraywright.raid.pace.PaceLimits
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How arrays are looked after. All of it is live: a change counts for what runs already.
 *
 * @property healthCheckInterval between two looks at each member's health and at members that are away
 * @property rebuildPriority from 0, which hardly disturbs clients, to 100, which has no regard for them
 * @property autoFailover spares take the place of failed members, and of those predicted to fail, by themselves
 * @property maxConcurrentRebuilds of all arrays together
 * @property throttleDelay kept free after each batch of a rebuild while clients are active
 * @property rebuildFloor bytes/s that a rebuild may always have
 * @property rebuildCeiling bytes/s that it never has more of; null for none
 * @property readErrorLimit a member with more failed reads than this within [readErrorWindow] is failed
 * @property spareCheckInterval between two checks of each spare
 * @property scrubInterval from the end of a scrub to the next one; null for no periodic scrubs
 * @property latency when a member counts as too slow beside its peers
 * @property retryDelay before a slot whose rebuild could not be read from its sources is tried again; doubles each time
 */
public data class HotSparePolicy(
    public val healthCheckInterval: Duration = 30.seconds,
    public val rebuildPriority: Int = 50,
    public val autoFailover: Boolean = true,
    public val maxConcurrentRebuilds: Int = 1,
    public val throttleDelay: Duration = 1.milliseconds,
    public val rebuildFloor: Long = 1L shl 20,
    public val rebuildCeiling: Long? = null,
    public val readErrorLimit: Int = 10,
    public val readErrorWindow: Duration = 600.seconds,
    public val spareCheckInterval: Duration = 24.hours,
    public val scrubInterval: Duration? = null,
    public val latency: OutlierLimits = OutlierLimits(),
    public val retryDelay: Duration = 60.seconds,
) {
    init {
        positive("health check interval", healthCheckInterval)
        positive("read error window", readErrorWindow)
        positive("spare check interval", spareCheckInterval)
        positive("retry delay", retryDelay)
        if (scrubInterval != null) positive("scrub interval", scrubInterval)
        require(rebuildPriority in 0..HIGHEST) {
            "the rebuild priority must be from 0 to $HIGHEST, not $rebuildPriority"
        }
        require(maxConcurrentRebuilds > 0) {
            "at least one rebuild must be allowed at a time, not $maxConcurrentRebuilds"
        }
        require(!throttleDelay.isNegative() && throttleDelay <= 1.seconds) {
            "the throttle delay must be from 0 to 1 s, not $throttleDelay"
        }
        require(rebuildFloor > 0) {
            "the rebuild floor must be above 0 bytes/s, not $rebuildFloor: without one a rebuild may never end"
        }
        require(rebuildCeiling == null || rebuildCeiling >= rebuildFloor) {
            "the rebuild ceiling ($rebuildCeiling bytes/s) is below the floor ($rebuildFloor)"
        }
        require(readErrorLimit >= 0) { "the read error limit must not be negative: $readErrorLimit" }
    }

    internal val pace: PaceLimits get() = PaceLimits(rebuildPriority, rebuildFloor, rebuildCeiling, throttleDelay)

    private fun positive(what: String, duration: Duration) {
        require(duration.isPositive()) { "the $what must be above 0, not $duration" }
    }

    private companion object {
        const val HIGHEST = 100
    }
}
