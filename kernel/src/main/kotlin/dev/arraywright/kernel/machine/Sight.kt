package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** What the arrays of a kernel see of the machine. Thread-safe. */
internal interface Sight {
    /** The machine's devices; null until the first look, and for good where nobody looks. */
    val devices: StateFlow<Map<DeviceId, HardwareDevice>?>

    /** Why a disk is expected to fail; null if it is not. Returns at once. */
    fun warning(disk: HardwareDevice): String?
}

/** Of a kernel that does not watch the machine. */
internal object Blind : Sight {
    override val devices: StateFlow<Map<DeviceId, HardwareDevice>?> =
        MutableStateFlow<Map<DeviceId, HardwareDevice>?>(null).asStateFlow()

    override fun warning(disk: HardwareDevice): String? = null
}
