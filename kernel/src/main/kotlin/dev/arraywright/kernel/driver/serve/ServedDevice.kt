package dev.arraywright.kernel.driver.serve

import dev.arraywright.kernel.driver.isolate.FailureText
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.Extent
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicReference

/**
 * A device of a driver that can be unloaded: calls are counted, and whoever has it has nothing of the driver once it is
 * closed. What reads and writes throw is the driver's own still; what is asked beside them throws nothing.
 */
internal class ServedDevice(device: BlockDevice, private val meter: DriverMeter) : BlockDevice {
    private val held = AtomicReference<BlockDevice?>(device)
    private val info: DeviceInfo = checkNotNull(device.info()) { "its info() is null" }

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long): Unit = call { it.read(target, offset) }

    override fun write(source: ByteBuffer, offset: Long): Unit = call { it.write(source, offset) }

    override fun flush(): Unit = call { it.flush() }

    override fun discard(offset: Long, length: Long): Unit = call { it.discard(offset, length) }

    override fun writeZeroes(offset: Long, length: Long): Unit = call { it.writeZeroes(offset, length) }

    // The list may be of a class of the driver's own.
    override fun allocation(
        offset: Long,
        length: Long,
    ): List<Extent> = call { ArrayList(it.allocation(offset, length)) }

    override fun health(): DeviceHealth {
        val device = held.get() ?: return DeviceHealth(DeviceHealth.Status.FAILED, "closed")
        return try {
            checkNotNull(device.health()) { "its health() is null" }
        } catch (e: Throwable) {
            DeviceHealth(DeviceHealth.Status.SUSPECT, "it does not tell how it is: ${FailureText.of(e).message}")
        }
    }

    override fun isOnline(): Boolean =
        try {
            held.get()?.isOnline == true
        } catch (_: Throwable) {
            false
        }

    override fun close() {
        val device = held.getAndSet(null) ?: return
        try {
            device.close()
        } catch (_: Throwable) {
            // Nobody could do anything about it; what it left open shows when the driver does not go.
            meter.failed()
        }
    }

    private inline fun <T> call(body: (BlockDevice) -> T): T {
        val device = held.get() ?: throw DeviceGoneException(info.id(), "closed", null)
        return meter.counted { body(device) }
    }
}
