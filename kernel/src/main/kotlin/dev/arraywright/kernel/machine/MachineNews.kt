package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.HardwareChange
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.event.HardwareAdded
import dev.arraywright.kernel.event.HardwareChanged
import dev.arraywright.kernel.event.HardwareRemoved
import dev.arraywright.kernel.event.Occurrence

/** What of the machine's changes is news to an operator: those of disks, and of whatever an array [used]. */
internal fun HardwareChange.toOccurrence(used: Boolean): Occurrence? {
    if (!used && !device.isDisk) return null
    val name = device.path ?: device.name
    val id = device.id.toString()
    return when (this) {
        is HardwareChange.Added ->
            HardwareAdded(name, id, device.size, device.model, device.serial, device.inUse)
        is HardwareChange.Removed -> HardwareRemoved(name, id)
        is HardwareChange.Changed -> {
            val changes = TOLD.filterKeys { it in fields }.mapValues { (_, value) ->
                "${value(before)} -> ${value(after)}"
            }
            if (changes.isEmpty()) null else HardwareChanged(name, id, changes)
        }
    }
}

private val TOLD: Map<String, (HardwareDevice) -> Any?> = mapOf(
    "size" to HardwareDevice::size,
    "readOnly" to HardwareDevice::readOnly,
    "path" to HardwareDevice::path,
    "firmware" to HardwareDevice::firmware,
    "inUse" to { device -> device.inUse ?: "free" },
)
