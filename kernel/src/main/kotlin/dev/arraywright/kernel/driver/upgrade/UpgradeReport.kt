package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.kernel.driver.DriverVersion
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * How a driver was replaced under load.
 *
 * @property devices that the new version serves now
 * @property longestPause that calls on one of them had to wait
 * @property total from the first step until the old version's devices were closed
 * @property notes what an operator should know, a line each: old devices that did not close
 */
public data class UpgradeReport(
    public val devices: Int,
    public val longestPause: Duration,
    public val total: Duration,
    public val notes: List<String> = emptyList(),
)

/** One driver of a [GroupUpgradeReport]. */
public data class DriverUpgrade(
    public val name: String,
    public val from: DriverVersion,
    public val to: DriverVersion,
    public val report: UpgradeReport,
) {
    /** For a line: the name and both versions. */
    override fun toString(): String = "$name $from -> $to"
}

/** How drivers were replaced together: each after those that it requires. */
public data class GroupUpgradeReport(public val upgrades: List<DriverUpgrade>)

/**
 * Bounds of a [HandOver].
 *
 * @property preparing for all that is done while the old version still serves: opening where it is done beside, and the
 *   first flush, which leaves little to the one in the pause
 * @property pause that calls may have to wait; far below the deadline that the calls themselves have
 * @property closing for the devices of the version that lost
 */
internal data class HandOverLimits(
    val preparing: Duration = 20.seconds,
    val pause: Duration = 3.seconds,
    val closing: Duration = 5.seconds,
) {
    init {
        require(preparing.isPositive() && pause.isPositive() && closing.isPositive())
    }
}

/** When the new version opens a device. */
internal enum class NewOpening {
    /**
     * In the pause, after the old one is flushed: what it reads at its opening is what there is. Right for every driver
     * that keeps in memory what it has read, such as a table of blocks.
     */
    PAUSED,

    /**
     * While the old one serves, which makes the pause shorter: for a driver that keeps nothing of what it has read, as
     * it says by `opensBeside` of [dev.arraywright.spi.driver.StorageDriver].
     */
    BESIDE,
}
