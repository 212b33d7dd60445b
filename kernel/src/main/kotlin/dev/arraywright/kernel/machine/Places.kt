package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.spi.device.StorageAddress
import java.io.IOException
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap

/**
 * Which of the machine's devices is behind a storage address. A symbolic link that leads to a device is remembered, as
 * it may be gone together with the device. Thread-safe.
 */
internal class Places(private val sight: Sight) {
    private val led = ConcurrentHashMap<String, String>()

    /** Whether it will be known that a device is plugged in there. */
    fun watches(address: StorageAddress): Boolean = sight !== Blind && address is StorageAddress.Block

    /** The device that is there now; null if none is, or nobody knows. */
    fun device(address: StorageAddress): HardwareDevice? {
        val path = path(address) ?: return null
        return sight.devices.value?.values?.firstOrNull { it.path == path }
    }

    /** Whether the address leads to what is, or was, at the special file [path]. */
    fun leads(address: StorageAddress, path: String): Boolean = path(address) == path

    /** Why the disk behind an address is expected to fail; null if it is not. */
    fun warning(address: StorageAddress): String? = device(address)?.let { sight.warning(disk(it)) }

    /** The name of the disk behind an address: two partitions of one are one medium. Null if nobody knows. */
    fun medium(address: StorageAddress): String? = device(address)?.let { disk(it).id.toString() }

    private fun path(address: StorageAddress): String? {
        if (address !is StorageAddress.Block) return null
        val given = address.path()
        try {
            led[given] = Path.of(given).toRealPath().toString()
        } catch (_: IOException) {
            // Unplugged: it leads to where it led.
        }
        return led[given] ?: given
    }

    private fun disk(device: HardwareDevice): HardwareDevice {
        if (DeviceFlag.PARTITION !in device.flags) return device
        return device.parent?.let { sight.devices.value?.get(it) } ?: device
    }
}
