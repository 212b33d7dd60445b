package dev.arraywright.hardware.health

import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * From when on a device's health is a matter of concern, and how often it is read.
 *
 * @property period between two readings of a device
 * @property warnedPeriod the same while there is something against it
 * @property deadline of one probe of one device; past it the device is suspect
 * @property temperatureWarning degrees Celsius, for devices that do not tell their own limit
 * @property temperatureCritical the same, for what the device must not reach
 * @property temperatureHysteresis degrees below a limit at which it is over
 * @property spareWarning percent of spare left, for devices that do not tell their own threshold
 * @property wearWarning percent of the foreseen life used
 * @property wornOut percent used from which the device is taken to be failing
 * @property mediaErrorsPerDay how many new ones a day are too many
 * @property ioErrorsPerDay the same of the kernel's I/O errors and timeouts
 * @property reallocatedSectors how many are too many; a device's life ends with them
 * @property pendingSectors how many sectors that cannot be read are too many
 * @property uncorrectableSectors how many lost sectors are too many
 * @property lifeWarning predicted life left, under which a device is taken to be failing
 * @property latencyWarning typical latency as arrays see it
 */
public data class HealthPolicy(
    public val period: Duration = 5.minutes,
    public val warnedPeriod: Duration = 30.seconds,
    public val deadline: Duration = 20.seconds,
    public val temperatureWarning: Int = 70,
    public val temperatureCritical: Int = 80,
    public val temperatureHysteresis: Int = 3,
    public val spareWarning: Int = 10,
    public val wearWarning: Int = 90,
    public val wornOut: Int = 100,
    public val mediaErrorsPerDay: Long = 1,
    public val ioErrorsPerDay: Long = 10,
    public val reallocatedSectors: Long = 50,
    public val pendingSectors: Long = 1,
    public val uncorrectableSectors: Long = 1,
    public val lifeWarning: Duration = 30.days,
    public val latencyWarning: Duration = 1.seconds,
) {
    init {
        require(period >= 1.seconds) { "the period must be at least 1 s, not $period" }
        require(warnedPeriod in 1.seconds..period) {
            "the warned period must be from 1 s to $period, not $warnedPeriod"
        }
        require(deadline in 1.seconds..5.minutes) { "the deadline must be from 1 s to 5 min, not $deadline" }
        require(temperatureWarning in 1..temperatureCritical) {
            "the warning temperature must be from 1 to $temperatureCritical C, not $temperatureWarning"
        }
        require(temperatureCritical <= 200) {
            "the critical temperature must be at most 200 C, not $temperatureCritical"
        }
        require(temperatureHysteresis in 0..20) { "the hysteresis must be from 0 to 20 C, not $temperatureHysteresis" }
        require(spareWarning in 0..100) { "the spare to warn at must be from 0 to 100 %, not $spareWarning" }
        require(wearWarning in 1..wornOut) { "the wear to warn at must be from 1 to $wornOut %, not $wearWarning" }
        require(wornOut <= 255) { "devices tell no more than 255 % used, so $wornOut would never be reached" }
        val counts = listOf(
            mediaErrorsPerDay,
            ioErrorsPerDay,
            reallocatedSectors,
            pendingSectors,
            uncorrectableSectors,
        )
        require(counts.all { it >= 1 }) { "a count to warn at must be at least 1: $counts" }
        require(!lifeWarning.isNegative()) { "the life to warn at must not be negative: $lifeWarning" }
        require(latencyWarning.isPositive()) { "the latency to warn at must be above 0, not $latencyWarning" }
    }
}
