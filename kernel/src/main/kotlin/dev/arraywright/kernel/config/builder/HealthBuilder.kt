package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.HealthConfiguration
import kotlin.time.Duration
import kotlin.time.toKotlinDuration

/** [HealthConfiguration], key by key. */
@ConfigurationDsl
public class HealthBuilder internal constructor(from: HealthConfiguration) {
    @get:JvmSynthetic
    @set:JvmSynthetic
    public var period: Duration = from.period

    public fun period(value: java.time.Duration): HealthBuilder = apply { period = value.toKotlinDuration() }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var warnedPeriod: Duration = from.warnedPeriod

    public fun warnedPeriod(value: java.time.Duration): HealthBuilder = apply {
        warnedPeriod = value.toKotlinDuration()
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var deadline: Duration = from.deadline

    public fun deadline(value: java.time.Duration): HealthBuilder = apply { deadline = value.toKotlinDuration() }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var temperatureWarning: Int = from.temperatureWarning

    public fun temperatureWarning(value: Int): HealthBuilder = apply { temperatureWarning = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var temperatureCritical: Int = from.temperatureCritical

    public fun temperatureCritical(value: Int): HealthBuilder = apply { temperatureCritical = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var temperatureHysteresis: Int = from.temperatureHysteresis

    public fun temperatureHysteresis(value: Int): HealthBuilder = apply { temperatureHysteresis = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var spareWarning: Int = from.spareWarning

    public fun spareWarning(value: Int): HealthBuilder = apply { spareWarning = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var wearWarning: Int = from.wearWarning

    public fun wearWarning(value: Int): HealthBuilder = apply { wearWarning = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var wornOut: Int = from.wornOut

    public fun wornOut(value: Int): HealthBuilder = apply { wornOut = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var mediaErrorsPerDay: Long = from.mediaErrorsPerDay

    public fun mediaErrorsPerDay(value: Long): HealthBuilder = apply { mediaErrorsPerDay = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var ioErrorsPerDay: Long = from.ioErrorsPerDay

    public fun ioErrorsPerDay(value: Long): HealthBuilder = apply { ioErrorsPerDay = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var reallocatedSectors: Long = from.reallocatedSectors

    public fun reallocatedSectors(value: Long): HealthBuilder = apply { reallocatedSectors = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var pendingSectors: Long = from.pendingSectors

    public fun pendingSectors(value: Long): HealthBuilder = apply { pendingSectors = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var uncorrectableSectors: Long = from.uncorrectableSectors

    public fun uncorrectableSectors(value: Long): HealthBuilder = apply { uncorrectableSectors = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var lifeWarning: Duration = from.lifeWarning

    public fun lifeWarning(value: java.time.Duration): HealthBuilder = apply { lifeWarning = value.toKotlinDuration() }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var latencyWarning: Duration = from.latencyWarning

    public fun latencyWarning(value: java.time.Duration): HealthBuilder = apply {
        latencyWarning = value.toKotlinDuration()
    }

    internal fun build(): HealthConfiguration = HealthConfiguration(
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
}
