package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.testing.BlockDeviceContract
import dev.arraywright.spi.testing.FakeDevice

class SwitchableDeviceContractTest : BlockDeviceContract() {
    private lateinit var fake: FakeDevice

    override fun open(size: Long): BlockDevice {
        fake = FakeDevice("fake", size.toInt())
        return SwitchableDevice(fake)
    }

    override fun reopenReadOnly(): BlockDevice = SwitchableDevice(fake.reopenedReadOnly())
}
