package dev.arraywright.raid.simulation

import dev.arraywright.raid.health.OutlierLimits
import dev.arraywright.raid.spare.HotSparePolicy
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Policies in a hurry, as stories are short. */
internal object Policies {
    private val outliers = OutlierLimits(minimumSamples = 4, floor = 5.milliseconds, persistently = 2.seconds)

    fun any(random: Random): HotSparePolicy {
        val floor = 16_384L shl random.nextInt(4)
        return HotSparePolicy(
            healthCheckInterval = random.nextInt(1, 6).seconds,
            rebuildPriority = random.nextInt(101),
            autoFailover = random.nextInt(5) > 0,
            maxConcurrentRebuilds = 1 + random.nextInt(2),
            rebuildFloor = floor,
            rebuildCeiling = if (random.nextBoolean()) null else floor * (1 + random.nextInt(8)),
            readErrorLimit = random.nextInt(4),
            readErrorWindow = random.nextInt(10, 60).seconds,
            spareCheckInterval = random.nextInt(5, 60).seconds,
            scrubInterval = if (random.nextBoolean()) null else random.nextInt(5, 60).seconds,
            latency = outliers,
            retryDelay = random.nextInt(1, 6).seconds,
        )
    }

    /** Everything that can be is to be well soon. */
    fun quiet(random: Random): HotSparePolicy = any(random).copy(autoFailover = true, scrubInterval = null)
}
