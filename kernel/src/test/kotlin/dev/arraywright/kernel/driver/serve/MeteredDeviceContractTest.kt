package dev.arraywright.kernel.driver.serve

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.testing.BlockDeviceContract
import dev.arraywright.spi.testing.FakeDevice
import kotlin.time.TimeSource

class MeteredDeviceContractTest : BlockDeviceContract() {
    private lateinit var fake: FakeDevice

    override fun open(size: Long): BlockDevice {
        fake = FakeDevice("fake", size.toInt())
        return metered(fake)
    }

    override fun reopenReadOnly(): BlockDevice = metered(fake.reopenedReadOnly())

    private fun metered(device: BlockDevice) =
        MeteredDevice(StorageAddress.Memory(1L shl 20, "fake"), device, DriverMeter(TimeSource.Monotonic)) {}
}
