package dev.arraywright.hardware.device.memory

import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.testing.ResidentDriverContract

class MemoryDriverContractTest : ResidentDriverContract() {
    override fun driver(): Class<out Driver> = MemoryDriver::class.java

    override fun present(): StorageAddress = StorageAddress.Memory(1L shl 20, "contract")

    override fun missing(): StorageAddress? = null

    override fun malformed(): List<StorageAddress> = listOf(StorageAddress.Memory(513, "odd"))
}
