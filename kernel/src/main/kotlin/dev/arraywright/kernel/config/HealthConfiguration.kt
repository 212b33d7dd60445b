package dev.arraywright.kernel.config

import dev.arraywright.hardware.health.HealthPolicy
import kotlinx.serialization.Serializable
import kotlin.time.Duration

/** [HealthPolicy] as it is written in a configuration: from when on a disk's health is a matter of concern. */
@Serializable
public data class HealthConfiguration(
    @Serializable(with = DurationText::class)
    public val period: Duration = USUAL.period,
    @Serializable(with = DurationText::class)
    public val warnedPeriod: Duration = USUAL.warnedPeriod,
    @Serializable(with = DurationText::class)
    public val deadline: Duration = USUAL.deadline,
    public val temperatureWarning: Int = USUAL.temperatureWarning,
    public val temperatureCritical: Int = USUAL.temperatureCritical,
    public val temperatureHysteresis: Int = USUAL.temperatureHysteresis,
    public val spareWarning: Int = USUAL.spareWarning,
    public val wearWarning: Int = USUAL.wearWarning,
    public val wornOut: Int = USUAL.wornOut,
    public val mediaErrorsPerDay: Long = USUAL.mediaErrorsPerDay,
    public val ioErrorsPerDay: Long = USUAL.ioErrorsPerDay,
    public val reallocatedSectors: Long = USUAL.reallocatedSectors,
    public val pendingSectors: Long = USUAL.pendingSectors,
    public val uncorrectableSectors: Long = USUAL.uncorrectableSectors,
    @Serializable(with = DurationText::class)
    public val lifeWarning: Duration = USUAL.lifeWarning,
    @Serializable(with = DurationText::class)
    public val latencyWarning: Duration = USUAL.latencyWarning,
) {
    init {
        try {
            toPolicy()
        } catch (e: IllegalArgumentException) {
            throw IllegalArgumentException("health: ${e.message}", e)
        }
    }

    /** The policy that this says. */
    public fun toPolicy(): HealthPolicy = HealthPolicy(
        period = period,
        warnedPeriod = warnedPeriod,
        deadline = deadline,
        temperatureWarning = temperatureWarning,
        temperatureCritical = temperatureCritical,
        temperatureHysteresis = temperatureHysteresis,
        spareWarning = spareWarning,
        wearWarning = wearWarning,
        wornOut = wornOut,
        mediaErrorsPerDay = mediaErrorsPerDay,
        ioErrorsPerDay = ioErrorsPerDay,
        reallocatedSectors = reallocatedSectors,
        pendingSectors = pendingSectors,
        uncorrectableSectors = uncorrectableSectors,
        lifeWarning = lifeWarning,
        latencyWarning = latencyWarning,
    )

    public companion object {
        /** How [policy] is written. */
        public fun of(policy: HealthPolicy): HealthConfiguration = HealthConfiguration(
            period = policy.period,
            warnedPeriod = policy.warnedPeriod,
            deadline = policy.deadline,
            temperatureWarning = policy.temperatureWarning,
            temperatureCritical = policy.temperatureCritical,
            temperatureHysteresis = policy.temperatureHysteresis,
            spareWarning = policy.spareWarning,
            wearWarning = policy.wearWarning,
            wornOut = policy.wornOut,
            mediaErrorsPerDay = policy.mediaErrorsPerDay,
            ioErrorsPerDay = policy.ioErrorsPerDay,
            reallocatedSectors = policy.reallocatedSectors,
            pendingSectors = policy.pendingSectors,
            uncorrectableSectors = policy.uncorrectableSectors,
            lifeWarning = policy.lifeWarning,
            latencyWarning = policy.latencyWarning,
        )
    }
}

private val USUAL = HealthPolicy()
