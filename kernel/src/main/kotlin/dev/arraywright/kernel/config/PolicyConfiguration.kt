package dev.arraywright.kernel.config

import dev.arraywright.raid.health.OutlierLimits
import dev.arraywright.raid.spare.HotSparePolicy
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.encodeToJsonElement
import kotlinx.serialization.json.jsonObject
import kotlin.time.Duration

/** [HotSparePolicy] as it is written in a configuration: sizes and durations as text. */
@Serializable
public data class PolicyConfiguration(
    @Serializable(with = DurationText::class)
    public val healthCheckInterval: Duration = DEFAULT.healthCheckInterval,
    public val rebuildPriority: Int = DEFAULT.rebuildPriority,
    public val autoFailover: Boolean = DEFAULT.autoFailover,
    public val maxConcurrentRebuilds: Int = DEFAULT.maxConcurrentRebuilds,
    @Serializable(with = DurationText::class)
    public val throttleDelay: Duration = DEFAULT.throttleDelay,
    @Serializable(with = ByteSizeText::class)
    public val rebuildFloor: Long = DEFAULT.rebuildFloor,
    /** Absent: none. */
    @Serializable(with = ByteSizeText::class)
    public val rebuildCeiling: Long? = DEFAULT.rebuildCeiling,
    public val readErrorLimit: Int = DEFAULT.readErrorLimit,
    @Serializable(with = DurationText::class)
    public val readErrorWindow: Duration = DEFAULT.readErrorWindow,
    @Serializable(with = DurationText::class)
    public val spareCheckInterval: Duration = DEFAULT.spareCheckInterval,
    /** Absent: no periodic scrubs. */
    @Serializable(with = DurationText::class)
    public val scrubInterval: Duration? = DEFAULT.scrubInterval,
    @Serializable(with = DurationText::class)
    public val retryDelay: Duration = DEFAULT.retryDelay,
    public val latency: LatencyConfiguration = LatencyConfiguration(),
) {
    init {
        try {
            toPolicy()
        } catch (e: IllegalArgumentException) {
            throw IllegalArgumentException("policy: ${e.message}", e)
        }
    }

    /** The policy that this says. */
    public fun toPolicy(): HotSparePolicy = HotSparePolicy(
        healthCheckInterval = healthCheckInterval,
        rebuildPriority = rebuildPriority,
        autoFailover = autoFailover,
        maxConcurrentRebuilds = maxConcurrentRebuilds,
        throttleDelay = throttleDelay,
        rebuildFloor = rebuildFloor,
        rebuildCeiling = rebuildCeiling,
        readErrorLimit = readErrorLimit,
        readErrorWindow = readErrorWindow,
        spareCheckInterval = spareCheckInterval,
        scrubInterval = scrubInterval,
        latency = latency.run { OutlierLimits(ratio, deviations, minimumSamples, floor, persistently) },
        retryDelay = retryDelay,
    )

    /** Every setting by its key, as text; null for one that is off. */
    public fun settings(): Map<String, String?> {
        val json = plain.encodeToJsonElement(this).jsonObject
        return json.entries.flatMap { (key, value) ->
            if (value is JsonObject) value.map { (inner, it) -> "$key.$inner" to it } else listOf(key to value)
        }.associate { (key, value) -> key to (value as? JsonPrimitive)?.contentOrNull }
    }

    public companion object {
        private val DEFAULT = HotSparePolicy()
        private val plain = Json { encodeDefaults = true }

        /** How [policy] is written. */
        public fun of(policy: HotSparePolicy): PolicyConfiguration = PolicyConfiguration(
            healthCheckInterval = policy.healthCheckInterval,
            rebuildPriority = policy.rebuildPriority,
            autoFailover = policy.autoFailover,
            maxConcurrentRebuilds = policy.maxConcurrentRebuilds,
            throttleDelay = policy.throttleDelay,
            rebuildFloor = policy.rebuildFloor,
            rebuildCeiling = policy.rebuildCeiling,
            readErrorLimit = policy.readErrorLimit,
            readErrorWindow = policy.readErrorWindow,
            spareCheckInterval = policy.spareCheckInterval,
            scrubInterval = policy.scrubInterval,
            retryDelay = policy.retryDelay,
            latency = policy.latency.run {
                LatencyConfiguration(ratio, deviations, minimumSamples, floor, persistently)
            },
        )
    }
}

/** When a member is slow enough, beside its peers, to be called failing; see [OutlierLimits]. */
@Serializable
public data class LatencyConfiguration(
    public val ratio: Double = USUAL.ratio,
    public val deviations: Double = USUAL.deviations,
    public val minimumSamples: Int = USUAL.minimumSamples,
    @Serializable(with = DurationText::class)
    public val floor: Duration = USUAL.floor,
    @Serializable(with = DurationText::class)
    public val persistently: Duration = USUAL.persistently,
)

private val USUAL = OutlierLimits()
