package dev.arraywright.kernel.driver.serve

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.Extent
import dev.arraywright.spi.device.StorageAddress
import java.nio.ByteBuffer

/** A device of a driver that stays: its calls are counted, and nothing else is done to them. */
internal class MeteredDevice(
    val address: StorageAddress,
    private val device: BlockDevice,
    private val meter: DriverMeter,
    private val closed: (MeteredDevice) -> Unit,
) : BlockDevice {
    override fun info(): DeviceInfo = device.info()

    override fun read(target: ByteBuffer, offset: Long): Unit = meter.counted { device.read(target, offset) }

    override fun write(source: ByteBuffer, offset: Long): Unit = meter.counted { device.write(source, offset) }

    override fun flush(): Unit = meter.counted { device.flush() }

    override fun discard(offset: Long, length: Long): Unit = meter.counted { device.discard(offset, length) }

    override fun writeZeroes(offset: Long, length: Long): Unit = meter.counted { device.writeZeroes(offset, length) }

    override fun allocation(offset: Long, length: Long): List<Extent> =
        meter.counted { device.allocation(offset, length) }

    override fun health(): DeviceHealth = device.health()

    override fun isOnline(): Boolean = device.isOnline

    override fun close() {
        try {
            device.close()
        } finally {
            closed(this)
        }
    }
}
