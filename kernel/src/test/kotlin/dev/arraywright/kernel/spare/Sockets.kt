package dev.arraywright.kernel.spare

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import dev.arraywright.spi.testing.FakeDevice
import java.util.concurrent.ConcurrentHashMap

/** Heap devices that can be pulled out and plugged in again, opened by one at a time. */
@StorageDriver(name = "sockets", description = "Heap", version = "1.0.0", supportedDevices = ["memory"])
internal class Sockets : Driver {
    private val devices = ConcurrentHashMap<String, FakeDevice>()
    private val open = ConcurrentHashMap.newKeySet<String>()
    private val pulled = ConcurrentHashMap.newKeySet<String>()

    fun pull(name: String) {
        pulled += name
        devices.getValue(name).faulty { _, _, _ -> throw DeviceGoneException(name, "pulled", null) }
    }

    fun plug(name: String) {
        devices.getValue(name).sound()
        pulled -= name
    }

    override fun initialize(context: DriverContext) {}

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        val memory = address as StorageAddress.Memory
        val name = memory.name()
        if (name in pulled) throw DriverException(DriverException.Reason.NOT_FOUND, "$name is pulled", "plug it in")
        if (!open.add(name)) throw DriverException(DriverException.Reason.IN_USE, "$name is open", "close it")
        val fake = devices.getOrPut(name) { FakeDevice(name, memory.size().toInt()) }
        return object : BlockDevice by fake {
            override fun close() {
                open -= name
            }
        }
    }

    override fun close() {}
}
