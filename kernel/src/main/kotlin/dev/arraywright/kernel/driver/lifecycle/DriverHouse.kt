package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.spi.driver.DriverContext
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.TimeSource

/** What a supervisor needs of the world; every function may be called by any supervisor at once. */
internal interface DriverHouse {
    val deadlines: DriverDeadlines
    val policy: CrashPolicy
    val time: TimeSource.WithComparableMarks
    val random: Random

    /**
     * Constructs the driver.
     *
     * @param again it was found long ago, and its jar may be another by now
     * @throws KernelError if it cannot be loaded; nothing of it is left then
     */
    suspend fun load(candidate: DriverCandidate, again: Boolean): DriverInstance

    fun context(driver: String, settings: Map<String, String>): DriverContext

    /**
     * Has all open devices of each port served by the instance beside it, and what is opened later; all or none.
     *
     * @param turns each after those whose drivers it requires
     * @param onSwitch from here on it is done
     * @throws KernelError if none is
     */
    suspend fun handOver(turns: List<Turn>, onSwitch: () -> Unit): List<UpgradeReport>

    /** Why a driver's requirements are not met now; null if they are. */
    fun unmet(info: DriverInfo): String?

    /** Something that is shown has changed. */
    fun changed()

    fun running(driver: DriverSupervisor)

    /** It is about to leave [DriverState.Running] by a failure. */
    fun failing(driver: DriverSupervisor)

    fun crashed(driver: DriverSupervisor, why: String, restartIn: Duration)

    fun quarantined(driver: DriverSupervisor, why: String, failures: Int)

    /** It does not run until what it requires does. */
    fun waiting(driver: DriverSupervisor, why: String)

    /** Tells if an instance that was let go of stays in memory; does not wait. */
    fun watch(info: DriverInfo, released: DriverInstance)

    /** Waits for an instance that was let go of to go; what holds it if it does not. */
    suspend fun proof(info: DriverInfo, released: DriverInstance): String?
}
