package dev.arraywright.hardware.device.memory

import dev.arraywright.hardware.device.open
import dev.arraywright.hardware.device.ready
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.BlockDeviceContract

class MemoryDeviceContractTest : BlockDeviceContract() {
    private val driver = MemoryDriver().ready()

    override fun open(size: Long): BlockDevice = driver.open("memory:$size#a")

    override fun reopenReadOnly(): BlockDevice = driver.open("memory:4MiB#a", OpenOptions.READ_ONLY)
}
