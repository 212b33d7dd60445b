package dev.arraywright.hardware.health

import kotlin.time.Instant

/** What may be held against a device. The first six are the device's own word, see [CriticalWarning]. */
public enum class HealthConcern {
    WARNS_OF_SPARE,
    WARNS_OF_TEMPERATURE,
    WARNS_OF_RELIABILITY,
    WARNS_OF_READ_ONLY,
    WARNS_OF_BACKUP,
    WARNS_OF_MEMORY_REGION,

    /** The device's own verdict is that it fails. */
    SELF_ASSESSMENT,
    TEMPERATURE,
    SPARE,
    WEAR,
    MEDIA_ERRORS,
    REALLOCATED_SECTORS,
    PENDING_SECTORS,
    UNCORRECTABLE_SECTORS,

    /** Its predicted life ends soon. */
    LIFE,
    IO_ERRORS,

    /** The kernel has given the device up. */
    STATE,
    LATENCY,

    /** It does not tell its health any more. */
    UNREADABLE,
}

/** How much something counts, from least to most. */
public enum class HealthSeverity {
    /** An operator should look at it; it foretells nothing. */
    WARNING,

    /** A failure is foreseen: replace the device while it still works. */
    FAILING,

    /** It does not work, or takes no writes. */
    FAILED,
}

/**
 * Something held against a device.
 *
 * @property text what was found, for people
 * @property since when it was found first
 */
public data class HealthFinding(
    public val concern: HealthConcern,
    public val severity: HealthSeverity,
    public val text: String,
    public val since: Instant,
)
