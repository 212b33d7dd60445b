package dev.arraywright.admin.control.machine

/**
 * What an operator sees of the machine. Every call fails with a [dev.arraywright.kernel.KernelError], and what a platform
 * lacks is no failure: the answer says why.
 */
internal interface Surveying {
    suspend fun hardware(): HardwareView

    /** The device with that id, name, serial number or path. */
    suspend fun device(name: String): DeviceDetail

    /** Looks at everything anew first. */
    suspend fun rescan(): HardwareView

    suspend fun health(): HealthStatus

    suspend fun capabilities(): List<CapabilityView>

    suspend fun platform(): PlatformView

    suspend fun memory(): MemoryView

    suspend fun numa(): NumaView
}
