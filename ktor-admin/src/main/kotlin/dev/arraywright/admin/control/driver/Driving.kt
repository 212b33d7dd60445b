package dev.arraywright.admin.control.driver

/**
 * What an operator does with drivers that are loaded at run time. Every call fails with a
 * [dev.arraywright.kernel.KernelError].
 */
internal interface Driving {
    suspend fun drivers(): DriversView

    suspend fun driver(name: String): DriverView

    /** Once it runs. */
    suspend fun load(request: LoadRequest): DriverView

    /** With [failDevices] also one whose devices are in use, which are failed. */
    suspend fun unload(name: String, failDevices: Boolean)

    suspend fun upgrade(name: String, request: UpgradeRequest): UpgradeView
}
