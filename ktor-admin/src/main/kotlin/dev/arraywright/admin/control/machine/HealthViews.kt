package dev.arraywright.admin.control.machine

import dev.arraywright.kernel.config.HealthConfiguration
import kotlinx.serialization.Serializable

/** The health of all disks, and from when on it is a matter of concern. */
@Serializable
internal data class HealthStatus(val thresholds: HealthConfiguration, val disks: List<HealthView>)

/**
 * What is known of a disk's health; [verdict] is `good`, `warning`, `suspect`, `failed` or `unknown`, times are ISO 8601.
 * By source, [absent] says why it tells nothing where that is no fault, and [failed] why it told nothing this time.
 */
@Serializable
internal data class HealthView(
    val id: String,
    val path: String,
    val verdict: String,
    val detail: String = "",
    val checked: String? = null,
    /** Whether the reading is older than the last try. */
    val stale: Boolean = false,
    val reading: ReadingView? = null,
    val findings: List<FindingView> = emptyList(),
    val life: LifeView? = null,
    /** Why it is taken to fail soon. */
    val predictedFailure: String? = null,
    val absent: Map<String, String> = emptyMap(),
    val failed: Map<String, String> = emptyMap(),
    val historyProblem: String? = null,
)

/** What a disk said last; absent is what it does not tell. Temperatures in degrees Celsius, shares in percent. */
@Serializable
internal data class ReadingView(
    val time: String,
    val sources: List<String>,
    val criticalWarning: List<String>? = null,
    val temperature: Int? = null,
    val warningTemperature: Int? = null,
    val criticalTemperature: Int? = null,
    val availableSpare: Int? = null,
    val spareThreshold: Int? = null,
    val percentageUsed: Int? = null,
    val mediaErrors: Long? = null,
    val unsafeShutdowns: Long? = null,
    val powerOnHours: Long? = null,
    val bytesRead: Long? = null,
    val bytesWritten: Long? = null,
    val passed: Boolean? = null,
    val reallocatedSectors: Long? = null,
    val pendingSectors: Long? = null,
    val uncorrectableSectors: Long? = null,
    val ioErrors: Long? = null,
    val ioTimeouts: Long? = null,
    val inFlight: Long? = null,
    val state: String? = null,
    val latencyMicros: Long? = null,
)

/** Something held against a disk; [severity] is `warning`, `failing` or `failed`. */
@Serializable
internal data class FindingView(val concern: String, val severity: String, val text: String, val since: String)

/** How long a disk lasts if it goes on like that: what [basis] grows by a day, and the seconds left. */
@Serializable
internal data class LifeView(val basis: String, val perDay: Double, val leftSeconds: Long)
