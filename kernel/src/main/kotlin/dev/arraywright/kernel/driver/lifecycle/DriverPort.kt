package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.upgrade.HandOverPart
import dev.arraywright.kernel.driver.upgrade.NewOpening
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

    /** What it takes to have all open devices served by [to]; [serve] comes with the switch. */
    fun part(to: DriverInstance, opening: NewOpening): HandOverPart

    /** Closes the devices that are open still, each within [deadline]. */
    suspend fun end(by: DriverInstance, deadline: Duration)
}

/** The devices of [port] go to the instance [to]; [beside]: the new ones may be opened while the old ones serve. */
internal class Turn(val port: DriverPort, val to: DriverInstance, val beside: Boolean)
