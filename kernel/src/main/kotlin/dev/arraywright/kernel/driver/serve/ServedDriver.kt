package dev.arraywright.kernel.driver.serve

import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.lifecycle.DriverInstance
import dev.arraywright.kernel.driver.lifecycle.DriverPort
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import kotlin.time.Duration

/**
 * What stands for a driver in the kernel's opener, through all its lives: restarted or upgraded, its devices are opened
 * by whatever instance there is. It knows each open device and what it was opened by. Thread-safe.
 */
internal class ServedDriver(
    private val name: String,
    private val meter: DriverMeter,
    private val changed: () -> Unit,
) : Driver, DriverPort {
    private val devices = LinkedHashSet<ServedEntry>()

    // All guarded by devices.
    private var instance: DriverInstance? = null
    private var refusal = "it is not started"
    private var opening = 0

    override val open: List<ServedEntry> get() = synchronized(devices) { devices.toList() }

    override fun serve(by: DriverInstance): Unit = synchronized(devices) { instance = by }

    override fun refuse(why: String): Unit = synchronized(devices) {
        instance = null
        refusal = why
    }

    override fun refuseUnlessUsed(why: String): Boolean = synchronized(devices) {
        if (devices.isNotEmpty() || opening > 0) return@synchronized false
        instance = null
        refusal = why
        true
    }

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        val by = synchronized(devices) {
            val now = instance ?: throw DriverException(
                Reason.UNREACHABLE,
                "the driver $name does not serve $address: $refusal",
                "see why, or load it again",
            )
            opening++
            now
        }
        try {
            val entry = ServedEntry(address, options, opened(by, address, options), ::left)
            meter.opened()
            synchronized(devices) {
                // It may have been unloaded meanwhile, without regard to its devices.
                if (instance !== by) null else entry.also { devices += it }
            } ?: throw late(entry, address)
            return entry
        } finally {
            synchronized(devices) { opening-- }
            changed()
        }
    }

    override suspend fun end(by: DriverInstance, why: String, deadline: Duration) {
        for (entry in open) {
            by.apart("close ${entry.address}", deadline) { entry.device.end(why) }.let { outcome ->
                if (outcome is CallOutcome.Late) meter.failed()
            }
            left(entry)
        }
    }

    override fun initialize(context: DriverContext): Unit = error("$name is started already")

    override fun close(): Unit = error("$name is its supervisor's to close")

    private fun opened(by: DriverInstance, address: StorageAddress, options: OpenOptions): ServedDevice =
        try {
            val device = by.open(address, options)
            try {
                ServedDevice(device, meter)
            } catch (e: Throwable) {
                device.close()
                throw e
            }
        } catch (e: Throwable) {
            meter.failed()
            throw Border.openFailure(name, address, e)
        }

    private fun late(entry: ServedEntry, address: StorageAddress): DriverException {
        entry.device.close()
        return DriverException(Reason.UNREACHABLE, "the driver $name went while it opened $address", "try again")
    }

    private fun left(entry: ServedEntry) {
        if (synchronized(devices) { devices.remove(entry) }) changed()
    }
}

/** An open device, and what it was opened by; whoever opened it closes it here. */
internal class ServedEntry(
    val address: StorageAddress,
    val options: OpenOptions,
    val device: ServedDevice,
    private val closed: (ServedEntry) -> Unit,
) : BlockDevice by device {
    override fun close() {
        device.close()
        closed(this)
    }

    // Delegation leaves Java's default methods out.
    override fun discard(offset: Long, length: Long): Unit = device.discard(offset, length)

    override fun writeZeroes(offset: Long, length: Long): Unit = device.writeZeroes(offset, length)

    override fun allocation(offset: Long, length: Long) = device.allocation(offset, length)

    override fun health() = device.health()
}
