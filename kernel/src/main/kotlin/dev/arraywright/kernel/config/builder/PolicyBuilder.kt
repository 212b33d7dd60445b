package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.LatencyConfiguration
import dev.arraywright.kernel.config.PolicyConfiguration
import java.util.function.Consumer
import kotlin.time.Duration
import kotlin.time.toKotlinDuration

/** [PolicyConfiguration], key by key; null stands for absent. */
@ConfigurationDsl
public class PolicyBuilder internal constructor(from: PolicyConfiguration) {
    private val sizes = SizeTexts()
    private val latency = LatencyBuilder(from.latency)

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var healthCheckInterval: Duration = from.healthCheckInterval

    public fun healthCheckInterval(value: java.time.Duration): PolicyBuilder = apply {
        healthCheckInterval = value.toKotlinDuration()
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var rebuildPriority: Int = from.rebuildPriority

    public fun rebuildPriority(value: Int): PolicyBuilder = apply { rebuildPriority = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var autoFailover: Boolean = from.autoFailover

    public fun autoFailover(value: Boolean): PolicyBuilder = apply { autoFailover = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var maxConcurrentRebuilds: Int = from.maxConcurrentRebuilds

    public fun maxConcurrentRebuilds(value: Int): PolicyBuilder = apply { maxConcurrentRebuilds = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var throttleDelay: Duration = from.throttleDelay

    public fun throttleDelay(value: java.time.Duration): PolicyBuilder = apply {
        throttleDelay = value.toKotlinDuration()
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var rebuildFloor: Long = from.rebuildFloor

    public fun rebuildFloor(bytes: Long): PolicyBuilder = apply { rebuildFloor = bytes }

    public fun rebuildFloor(text: String): PolicyBuilder = apply { rebuildFloor = sizes.read(text) ?: rebuildFloor }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var rebuildCeiling: Long? = from.rebuildCeiling

    public fun rebuildCeiling(bytes: Long): PolicyBuilder = apply { rebuildCeiling = bytes }

    public fun rebuildCeiling(text: String?): PolicyBuilder = apply { rebuildCeiling = text?.let(sizes::read) }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var readErrorLimit: Int = from.readErrorLimit

    public fun readErrorLimit(value: Int): PolicyBuilder = apply { readErrorLimit = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var readErrorWindow: Duration = from.readErrorWindow

    public fun readErrorWindow(value: java.time.Duration): PolicyBuilder = apply {
        readErrorWindow = value.toKotlinDuration()
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var spareCheckInterval: Duration = from.spareCheckInterval

    public fun spareCheckInterval(value: java.time.Duration): PolicyBuilder = apply {
        spareCheckInterval = value.toKotlinDuration()
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var scrubInterval: Duration? = from.scrubInterval

    public fun scrubInterval(value: java.time.Duration?): PolicyBuilder = apply {
        scrubInterval = value?.toKotlinDuration()
    }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var retryDelay: Duration = from.retryDelay

    public fun retryDelay(value: java.time.Duration): PolicyBuilder = apply { retryDelay = value.toKotlinDuration() }

    /** Changes [LatencyConfiguration]. */
    @JvmSynthetic
    public fun latency(change: LatencyBuilder.() -> Unit) {
        latency.change()
    }

    public fun latency(change: Consumer<LatencyBuilder>): PolicyBuilder = apply { change.accept(latency) }

    internal fun build(): PolicyConfiguration {
        sizes.check()
        return PolicyConfiguration(
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
            retryDelay = retryDelay,
            latency = latency.build(),
        )
    }
}

/** [LatencyConfiguration], key by key. */
@ConfigurationDsl
public class LatencyBuilder internal constructor(from: LatencyConfiguration) {
    @get:JvmSynthetic
    @set:JvmSynthetic
    public var ratio: Double = from.ratio

    public fun ratio(value: Double): LatencyBuilder = apply { ratio = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var deviations: Double = from.deviations

    public fun deviations(value: Double): LatencyBuilder = apply { deviations = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var minimumSamples: Int = from.minimumSamples

    public fun minimumSamples(value: Int): LatencyBuilder = apply { minimumSamples = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var floor: Duration = from.floor

    public fun floor(value: java.time.Duration): LatencyBuilder = apply { floor = value.toKotlinDuration() }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var persistently: Duration = from.persistently

    public fun persistently(value: java.time.Duration): LatencyBuilder = apply {
        persistently = value.toKotlinDuration()
    }

    internal fun build(): LatencyConfiguration = LatencyConfiguration(
        ratio = ratio,
        deviations = deviations,
        minimumSamples = minimumSamples,
        floor = floor,
        persistently = persistently,
    )
}
