package dev.arraywright.hardware.health.watch

import dev.arraywright.hardware.health.CriticalWarning
import dev.arraywright.hardware.health.HealthConcern
import dev.arraywright.hardware.health.HealthFinding
import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSeverity
import dev.arraywright.hardware.health.HealthSeverity.FAILED
import dev.arraywright.hardware.health.HealthSeverity.FAILING
import dev.arraywright.hardware.health.HealthSeverity.WARNING
import dev.arraywright.hardware.health.LifeTrend
import dev.arraywright.hardware.health.history.HealthHistory
import dev.arraywright.hardware.health.history.troubles
import kotlin.time.Instant

/**
 * What is to be held against a device. Pure; [before] is what was held against it until now, as a threshold that was
 * crossed counts as crossed until the value is well on the other side.
 */
internal class HealthJudge(
    private val policy: HealthPolicy,
    private val before: Map<HealthConcern, HealthFinding>,
    private val now: Instant,
) {
    private val found = sortedMapOf<HealthConcern, HealthFinding>()

    fun judge(reading: HealthReading?, history: HealthHistory, life: LifeTrend?, unread: String?): List<HealthFinding> {
        if (reading != null) {
            warnings(reading)
            temperature(reading)
            wear(reading)
            sectors(reading)
            growth(reading, history)
            kernel(reading)
            latency(reading)
        }
        if (life != null) life(life)
        if (unread != null) find(HealthConcern.UNREADABLE, WARNING, unread)
        return found.values.toList()
    }

    private fun find(concern: HealthConcern, severity: HealthSeverity, text: String) {
        found[concern] = HealthFinding(concern, severity, text, before[concern]?.since ?: now)
    }

    private fun warnings(reading: HealthReading) {
        for (warning in reading.criticalWarning.orEmpty()) {
            when (warning) {
                CriticalWarning.SPARE_LOW -> find(warning.concern, FAILING, "the device warns: spare is low")
                CriticalWarning.TEMPERATURE -> find(warning.concern, WARNING, "the device warns of its temperature")
                CriticalWarning.RELIABILITY -> find(warning.concern, FAILING, "the device warns: it is unreliable")
                CriticalWarning.READ_ONLY -> find(warning.concern, FAILED, "the device has become read-only")
                CriticalWarning.BACKUP_FAILED -> find(warning.concern, WARNING, "the device warns: cache backup failed")
                CriticalWarning.MEMORY_REGION ->
                    find(warning.concern, WARNING, "the device warns of its persistent memory region")
            }
        }
        if (reading.passed == false) find(HealthConcern.SELF_ASSESSMENT, FAILING, "the device says that it is failing")
    }

    private fun temperature(reading: HealthReading) {
        val temperature = reading.temperature ?: return
        val critical = reading.criticalTemperature ?: policy.temperatureCritical
        val warning = (reading.warningTemperature ?: policy.temperatureWarning).coerceAtMost(critical)
        val known = before[HealthConcern.TEMPERATURE]?.severity
        val rebate = policy.temperatureHysteresis
        val severity = when {
            temperature >= critical - (if (known == FAILING) rebate - 1 else 0).coerceAtLeast(0) -> FAILING
            temperature >= warning - (if (known != null) rebate - 1 else 0).coerceAtLeast(0) -> WARNING
            else -> return
        }
        val limit = if (severity == FAILING) "critical limit $critical C" else "limit $warning C"
        find(HealthConcern.TEMPERATURE, severity, "$temperature C, $limit")
    }

    private fun wear(reading: HealthReading) {
        val spare = reading.availableSpare
        val threshold = reading.spareThreshold ?: policy.spareWarning
        // A device whose own threshold is 0 keeps no spare that could run low.
        if (spare != null && reading.spareThreshold != 0 && spare <= threshold) {
            find(HealthConcern.SPARE, FAILING, "$spare % of the spare left, threshold $threshold %")
        }
        val used = reading.percentageUsed ?: return
        if (used >= policy.wornOut) {
            find(HealthConcern.WEAR, FAILING, "$used % of its life used")
        } else if (used >= policy.wearWarning) {
            find(HealthConcern.WEAR, WARNING, "$used % of its life used")
        }
    }

    private fun sectors(reading: HealthReading) {
        count(
            HealthConcern.REALLOCATED_SECTORS,
            reading.reallocatedSectors,
            policy.reallocatedSectors,
            "reallocated sectors",
        )
        count(
            HealthConcern.PENDING_SECTORS,
            reading.pendingSectors,
            policy.pendingSectors,
            "sectors that cannot be read",
        )
        count(
            HealthConcern.UNCORRECTABLE_SECTORS,
            reading.uncorrectableSectors,
            policy.uncorrectableSectors,
            "lost sectors",
        )
    }

    private fun count(concern: HealthConcern, count: Long?, limit: Long, what: String) {
        if (count != null && count >= limit) find(concern, FAILING, "$count $what")
    }

    private fun growth(reading: HealthReading, history: HealthHistory) {
        reading.mediaErrors?.let { current ->
            val daily = history.growthPerDay(now, current) { it.mediaErrors }
            if (daily >= policy.mediaErrorsPerDay) {
                find(HealthConcern.MEDIA_ERRORS, FAILING, "media errors grow by ${daily.toLong()} a day")
            }
        }
        reading.troubles?.let { current ->
            val daily = history.growthPerDay(now, current) { it.ioErrors }
            if (daily >= policy.ioErrorsPerDay) {
                find(HealthConcern.IO_ERRORS, WARNING, "the kernel's I/O errors grow by ${daily.toLong()} a day")
            }
        }
    }

    private fun kernel(reading: HealthReading) {
        if (reading.state in GIVEN_UP) find(HealthConcern.STATE, FAILED, "the kernel calls the device ${reading.state}")
    }

    private fun latency(reading: HealthReading) {
        val latency = reading.latency ?: return
        val limit = policy.latencyWarning * (if (HealthConcern.LATENCY in before) EASED else 1.0)
        if (latency >= limit) find(HealthConcern.LATENCY, WARNING, "calls typically take $latency")
    }

    private fun life(life: LifeTrend) {
        val limit = policy.lifeWarning * (if (HealthConcern.LIFE in before) 1 / EASED else 1.0)
        if (life.left <= limit) {
            val basis = life.basis.name.lowercase().replace('_', ' ')
            find(HealthConcern.LIFE, FAILING, "${life.left.inWholeDays} days of life left by its $basis")
        }
    }

    private companion object {
        const val EASED = 0.8
        val GIVEN_UP = setOf("dead", "offline", "transport-offline")
    }
}

/** Under which a controller's own warning goes. */
internal val CriticalWarning.concern: HealthConcern
    get() = HealthConcern.entries[ordinal]
