package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import kotlin.time.Duration

/**
 * Where a driver's devices are opened from, through all its lives; see
 * [dev.arraywright.kernel.driver.serve.ServedDriver].
 */
internal interface DriverPort {
    /** How many are open. */
    val devices: Int

    /** Devices are opened by this instance from now on. */
    fun serve(by: DriverInstance)

    /** No device is opened any more; those that are open are left alone. */
    fun refuse(why: String)

    /** As [refuse], unless a device is open or being opened; false then. */
    fun refuseUnlessUsed(why: String): Boolean

    /**
     * Has all open devices served by [to], and what is opened later.
     *
     * @throws dev.arraywright.kernel.KernelError if none is
     */
    suspend fun handOver(to: DriverInstance): UpgradeReport

    /** Closes the devices that are open still, each within [deadline]. */
    suspend fun end(by: DriverInstance, deadline: Duration)
}
