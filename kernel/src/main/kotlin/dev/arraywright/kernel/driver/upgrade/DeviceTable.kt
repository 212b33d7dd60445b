package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.OpenOptions
import kotlinx.coroutines.sync.Mutex

/** A device that a driver has open, and all that it takes to open it once more. */
internal class OpenedDevice(val address: StorageAddress, val options: OpenOptions, val device: SwitchableDevice) {
    override fun toString(): String = address.toString()
}

/**
 * The open devices of one driver, whatever its version. Thread-safe.
 *
 * @param left told after a device was closed
 */
internal class DeviceTable(private val left: () -> Unit = {}) {
    private val devices = LinkedHashMap<SwitchableDevice, OpenedDevice>()

    /**
     * Openings go through it, and choose the driver only there, so that none slips from the old version past a
     * hand-over. That shuts it, within a bound.
     */
    val openings = Gate()

    /** For one hand-over at a time. */
    val handingOver = Mutex()

    /** Those open now, in the order of their opening. */
    val open: List<OpenedDevice> get() = synchronized(devices) { devices.values.toList() }

    /** Adds [device], until it is closed; opened just now with the version that serves, within [openings]. */
    fun add(address: StorageAddress, options: OpenOptions, device: BlockDevice): OpenedDevice {
        val opened = OpenedDevice(address, options, SwitchableDevice(device, ::remove))
        synchronized(devices) { devices[opened.device] = opened }
        return opened
    }

    /** Forgets one that is closed, which closing it does. */
    fun remove(device: SwitchableDevice) {
        if (synchronized(devices) { devices.remove(device) } != null) left()
    }
}
