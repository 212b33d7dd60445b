package dev.arraywright.hardware.health

import dev.arraywright.spi.device.DeviceHealth
import kotlin.time.Duration
import kotlin.time.Instant

/** What a life's end is predicted by. */
public enum class LifeBasis { PERCENTAGE_USED, AVAILABLE_SPARE, REALLOCATED_SECTORS }

/**
 * How a device's life goes on, by its own history.
 *
 * @property perDay what [basis] grows by a day, or for the spare, shrinks
 * @property left until it reaches its end, if it goes on like that
 */
public data class LifeTrend(public val basis: LifeBasis, public val perDay: Double, public val left: Duration)

/**
 * What is known of a device's health.
 *
 * @property reading the latest, of all sources together; null before there was one
 * @property checked when it was last tried; null before
 * @property findings what is held against it, in the order of [HealthConcern]
 * @property life predicted by its history; null while there is too little of it
 * @property absent why a source tells nothing, where that is no fault
 * @property failed why a source told nothing this time though it should have
 * @property historyProblem why the history is not what it might be; null if all is well
 */
public data class HealthReport(
    public val target: HealthTarget,
    public val reading: HealthReading? = null,
    public val checked: Instant? = null,
    public val health: DeviceHealth = DeviceHealth.UNKNOWN,
    public val findings: List<HealthFinding> = emptyList(),
    public val life: LifeTrend? = null,
    public val absent: Map<HealthSource, String> = emptyMap(),
    public val failed: Map<HealthSource, String> = emptyMap(),
    public val historyProblem: String? = null,
) {
    /** Whether some of [reading] is older than the last try, because that failed. */
    public val stale: Boolean get() = reading != null && failed.isNotEmpty()

    /** Why the device is predicted to fail; null if it is not. */
    public val predictedFailure: String?
        get() = findings.filter {
            it.severity >= HealthSeverity.FAILING
        }.joinToString("; ") { it.text }.ifEmpty { null }
}
