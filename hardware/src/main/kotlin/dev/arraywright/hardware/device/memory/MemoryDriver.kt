package dev.arraywright.hardware.device.memory

import dev.arraywright.hardware.device.foreignAddress
import dev.arraywright.hardware.device.inUse
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver

/**
 * Memory of this process as devices, by name. What was written stays under the name until the driver is closed, so that
 * a device can be closed and opened again; memory is taken only for what is written.
 */
@StorageDriver(
    name = "memory",
    description = "Memory of this process",
    version = "0.1.0",
    supportedDevices = ["memory"],
)
public class MemoryDriver : Driver {
    private class Named(val content: MemoryContent) {
        var writer = false
        var readers = 0
    }

    private val named = HashMap<String, Named>()

    override fun initialize(context: DriverContext) {}

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        if (address !is StorageAddress.Memory) throw foreignAddress(address, "memory")
        if (address.size() % MemoryDevice.BLOCK != 0L) {
            throw DriverException(
                Reason.INVALID,
                "$address has ${address.size()} bytes, which is no multiple of ${MemoryDevice.BLOCK}",
                "round the size",
            )
        }
        return synchronized(named) { claim(address, options.readOnly()) }
    }

    override fun close() {
        synchronized(named) { named.clear() }
    }

    private fun claim(address: StorageAddress.Memory, shared: Boolean): BlockDevice {
        val entry = named.getOrPut(address.name()) { Named(MemoryContent(address.size())) }
        if (entry.content.size != address.size()) {
            throw DriverException(
                Reason.INVALID,
                "the memory named '${address.name()}' has ${entry.content.size} bytes, not ${address.size()}",
                "ask for that size, or choose another name: memory:…#name",
            )
        }
        if (entry.writer || (entry.readers > 0 && !shared)) {
            throw inUse(address, "this process holds it", "tell it apart by a name: memory:…#name")
        }
        if (shared) entry.readers++ else entry.writer = true
        return MemoryDevice(address.toString(), entry.content, shared) {
            synchronized(named) { if (shared) entry.readers-- else entry.writer = false }
        }
    }
}
