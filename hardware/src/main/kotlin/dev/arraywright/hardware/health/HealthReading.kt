package dev.arraywright.hardware.health

import kotlin.time.Duration
import kotlin.time.Instant

/** Who tells something of a device's health. [ofDevice]: the device itself, so that one such source is enough. */
public enum class HealthSource(internal val ofDevice: Boolean) {
    /** The NVMe SMART / Health Information log page. */
    NVME_LOG(true),

    /** `smartctl --json`. */
    SMARTCTL(true),

    /** The kernel's counters in sysfs. */
    KERNEL(false),

    /** What arrays see of the device. */
    ARRAY(false),
}

/** What an NVMe controller warns of by itself, in the order of the bits. */
public enum class CriticalWarning {
    /** The spare capacity is below its threshold. */
    SPARE_LOW,

    /** Too hot, or too cold. */
    TEMPERATURE,

    /** Reliability is degraded by media or internal errors. */
    RELIABILITY,

    /** The media takes no writes any more. */
    READ_ONLY,

    /** What backs the volatile memory up has failed. */
    BACKUP_FAILED,

    /** The persistent memory region is read-only or unreliable. */
    MEMORY_REGION,
}

/**
 * What a device's health was at one time, the same for all kinds of device; null is what it does not tell.
 *
 * @property time when it was read
 * @property sources who told it
 * @property criticalWarning what the controller warns of
 * @property temperature degrees Celsius, as are [warningTemperature] and [criticalTemperature], the device's own limits
 * @property availableSpare percent of the spare capacity that are left
 * @property spareThreshold percent at which the maker warns
 * @property percentageUsed of the life that the maker foresaw; may exceed 100
 * @property mediaErrors data that could not be got back
 * @property passed the device's own verdict
 * @property ioErrors failed requests, as the kernel counts them since the device was found
 * @property ioTimeouts requests that the kernel gave up
 * @property inFlight requests that the kernel waits for
 * @property state what the kernel thinks of the device, such as `live`, `running`, `dead`, `offline`
 * @property latency what calls of arrays typically take
 */
public data class HealthReading(
    public val time: Instant,
    public val sources: Set<HealthSource>,
    public val criticalWarning: Set<CriticalWarning>? = null,
    public val temperature: Int? = null,
    public val warningTemperature: Int? = null,
    public val criticalTemperature: Int? = null,
    public val availableSpare: Int? = null,
    public val spareThreshold: Int? = null,
    public val percentageUsed: Int? = null,
    public val mediaErrors: Long? = null,
    public val unsafeShutdowns: Long? = null,
    public val powerOnHours: Long? = null,
    public val bytesRead: Long? = null,
    public val bytesWritten: Long? = null,
    public val passed: Boolean? = null,
    public val reallocatedSectors: Long? = null,
    public val pendingSectors: Long? = null,
    public val uncorrectableSectors: Long? = null,
    public val ioErrors: Long? = null,
    public val ioTimeouts: Long? = null,
    public val inFlight: Long? = null,
    public val state: String? = null,
    public val latency: Duration? = null,
) {
    /** This one, and of [other] what this one does not tell. */
    internal fun or(other: HealthReading): HealthReading = HealthReading(
        time = time,
        sources = sources + other.sources,
        criticalWarning = criticalWarning ?: other.criticalWarning,
        temperature = temperature ?: other.temperature,
        warningTemperature = warningTemperature ?: other.warningTemperature,
        criticalTemperature = criticalTemperature ?: other.criticalTemperature,
        availableSpare = availableSpare ?: other.availableSpare,
        spareThreshold = spareThreshold ?: other.spareThreshold,
        percentageUsed = percentageUsed ?: other.percentageUsed,
        mediaErrors = mediaErrors ?: other.mediaErrors,
        unsafeShutdowns = unsafeShutdowns ?: other.unsafeShutdowns,
        powerOnHours = powerOnHours ?: other.powerOnHours,
        bytesRead = bytesRead ?: other.bytesRead,
        bytesWritten = bytesWritten ?: other.bytesWritten,
        passed = passed ?: other.passed,
        reallocatedSectors = reallocatedSectors ?: other.reallocatedSectors,
        pendingSectors = pendingSectors ?: other.pendingSectors,
        uncorrectableSectors = uncorrectableSectors ?: other.uncorrectableSectors,
        ioErrors = ioErrors ?: other.ioErrors,
        ioTimeouts = ioTimeouts ?: other.ioTimeouts,
        inFlight = inFlight ?: other.inFlight,
        state = state ?: other.state,
        latency = latency ?: other.latency,
    )
}
