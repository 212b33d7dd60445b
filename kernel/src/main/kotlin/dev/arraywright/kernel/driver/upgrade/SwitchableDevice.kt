package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.device.Extent
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicReference

/**
 * A driver's device under which the driver can be replaced: calls go to the device that is [present], and a [HandOver]
 * puts that of another version in its place while calls wait. [info] stays what the first device told.
 *
 * It is the border as well: misuse is refused before the driver sees it, and what a driver throws is told by exceptions
 * that hold nothing of the driver.
 *
 * @param first owned from here on
 * @param onClose runs once, when this is closed
 */
internal class SwitchableDevice(first: BlockDevice, private val onClose: (SwitchableDevice) -> Unit = {}) :
    BlockDevice {
    private val info: DeviceInfo = first.info()
    private val current = AtomicReference<BlockDevice?>(first)

    /** A flush of the hand-over's failed, which nobody was told of who relies on flushes. */
    private val owed = AtomicReference<DeviceIoException?>()

    /** Every call that waits for the device goes through it. */
    val gate = Gate()

    /** Where calls go now; null once this is closed. */
    val present: BlockDevice? get() = current.get()

    /** [next] serves in place of [old], unless this was closed meanwhile; only while the gate is shut and drained. */
    fun replace(old: BlockDevice, next: BlockDevice): Boolean = current.compareAndSet(old, next)

    /** The next flush fails with [failure]: a device tells a failed flush once, and then forgets what it lost. */
    fun owe(failure: DeviceIoException) {
        owed.set(failure)
    }

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long) {
        require(!target.isReadOnly) { "the target of a read is a read-only buffer" }
        info.checkRange(offset, target.remaining().toLong())
        call { it.read(target, offset) }
    }

    override fun write(source: ByteBuffer, offset: Long) {
        checkWrite(offset, source.remaining().toLong())
        call { it.write(source, offset) }
    }

    override fun flush() = call { device ->
        owed.getAndSet(null)?.let { throw it }
        device.flush()
    }

    override fun discard(offset: Long, length: Long) {
        checkWrite(offset, length)
        call { it.discard(offset, length) }
    }

    override fun writeZeroes(offset: Long, length: Long) {
        checkWrite(offset, length)
        call { it.writeZeroes(offset, length) }
    }

    override fun allocation(offset: Long, length: Long): List<Extent> {
        info.checkRange(offset, length)
        return call { it.allocation(offset, length).toList() }
    }

    override fun health(): DeviceHealth = glance(DeviceHealth(DeviceHealth.Status.FAILED, "closed")) { it.health() }

    override fun isOnline(): Boolean = glance(false) { it.isOnline }

    /** Does not wait for a hand-over: that goes on without this device. */
    override fun close() {
        val last = current.getAndSet(null) ?: return
        try {
            last.close()
        } finally {
            onClose(this)
        }
    }

    private fun checkWrite(offset: Long, length: Long) {
        info.checkRange(offset, length)
        if (info.readOnly() && current.get() != null) throw WriteProtectedException(info.id())
    }

    private inline fun <T> call(body: (BlockDevice) -> T): T = gate.pass {
        val device = current.get() ?: throw DeviceGoneException(info.id(), "closed", null)
        try {
            body(device)
        } catch (e: Throwable) {
            throw detached(e, info.id())
        }
    }

    /** For what never waits for the device, and so not for the gate. */
    private inline fun <T> glance(closed: T, look: (BlockDevice) -> T): T {
        while (true) {
            val device = current.get() ?: return closed
            val seen = look(device)
            // One that was replaced meanwhile may be closed by now, and says so.
            if (device === current.get()) return seen
        }
    }
}
