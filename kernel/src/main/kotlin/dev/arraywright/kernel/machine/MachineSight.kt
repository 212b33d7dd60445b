package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.stateIn

/** The real machine, as arrays see it. */
internal class MachineSight(private val machine: Machine, scope: CoroutineScope) : Sight {
    // The first look may find nothing at all, which is not the same as not to have looked.
    override val devices: StateFlow<Map<DeviceId, HardwareDevice>?> =
        combine(machine.devices, machine.monitor.status) { found, status -> found.takeIf { status.fullLooks > 0 } }
            .stateIn(scope, SharingStarted.Eagerly, null)

    override fun warning(disk: HardwareDevice): String? = machine.health.predictedFailure(disk.id.toString())
}
