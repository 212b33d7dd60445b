package dev.arraywright.kernel.driver.serve

import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.isolate.FailureText
import dev.arraywright.kernel.driver.lifecycle.DriverInstance
import dev.arraywright.kernel.driver.lifecycle.DriverPort
import dev.arraywright.kernel.driver.upgrade.DeviceTable
import dev.arraywright.kernel.driver.upgrade.HandOverPart
import dev.arraywright.kernel.driver.upgrade.NewOpening
import dev.arraywright.kernel.driver.upgrade.OpenedDevice
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

/**
 * What stands for a driver in the kernel's opener, through all its lives: restarted or upgraded, its devices are opened
 * by whatever instance there is. Thread-safe.
 *
 * @param changed told after devices came or went
 */
internal class ServedDriver(
    private val name: String,
    private val meter: DriverMeter,
    private val changed: () -> Unit,
) : Driver,
    DriverPort {
    private val table = DeviceTable(changed)
    private val lock = Any()
    private var instance: DriverInstance? = null
    private var refusal = "it is not started"
    private var opening = 0

    val open: List<OpenedDevice> get() = table.open

    override val devices: Int get() = table.open.size

    override fun serve(by: DriverInstance): Unit = synchronized(lock) { instance = by }

    override fun refuse(why: String): Unit = synchronized(lock) {
        instance = null
        refusal = why
    }

    override fun refuseUnlessUsed(why: String): Boolean = synchronized(lock) {
        val free = opening == 0 && table.open.isEmpty()
        if (free) refuse(why)
        free
    }

    override fun part(to: DriverInstance, opening: NewOpening): HandOverPart =
        HandOverPart(table, opening) { address, options -> openedApart(to, address, options) }

    override suspend fun end(by: DriverInstance, deadline: Duration) {
        // One that is being opened is ended, too, if it comes within the time that closing one has.
        table.handingOver.withLock {
            table.openings.shut()
            try {
                withTimeoutOrNull(deadline) { table.openings.drained() }
            } finally {
                table.openings.open()
            }
        }
        for (entry in open) {
            by.apart("close ${entry.address}", deadline, {}) { entry.device.close() }
            // One that hangs while it is closed is none of the driver's any more.
            table.remove(entry.device)
        }
    }

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        try {
            // It may be ended meanwhile, without regard to its devices, and another one may serve by then.
            var ended = false
            val opened = counted {
                // The instance is chosen behind the gate, which a hand-over shuts.
                table.openings.pass {
                    val by = serving(address)
                    table.add(address, options, opened(by, address, options))
                        .also { ended = synchronized(lock) { instance !== by } }
                }
            }
            if (ended) {
                opened.device.close()
                throw DriverException(Reason.UNREACHABLE, "the driver $name went while it opened $address", "try again")
            }
            meter.opened()
            return opened.device
        } finally {
            changed()
        }
    }

    override fun initialize(context: DriverContext): Unit = error("$name is its supervisor's to initialise")

    override fun close(): Unit = error("$name is its supervisor's to close")

    private inline fun <T> counted(action: () -> T): T {
        synchronized(lock) { opening++ }
        try {
            return action()
        } finally {
            synchronized(lock) { opening-- }
        }
    }

    private fun serving(address: StorageAddress): DriverInstance = synchronized(lock) {
        instance ?: throw DriverException(
            Reason.UNREACHABLE,
            "the driver $name does not serve $address: $refusal",
            "see why, or load it again",
        )
    }

    private fun opened(by: DriverInstance, address: StorageAddress, options: OpenOptions): BlockDevice =
        try {
            taken(by.open(address, options))
        } catch (e: Throwable) {
            throw failure(address, FailureText.of(e))
        }

    private suspend fun openedApart(by: DriverInstance, address: StorageAddress, options: OpenOptions): BlockDevice {
        val outcome = by.apart("open $address", Duration.INFINITE, { late: ServedDevice -> late.close() }) {
            taken(by.open(address, options))
        }
        return when (outcome) {
            is CallOutcome.Returned -> outcome.value
            is CallOutcome.Failed -> throw failure(address, outcome.failure)
            is CallOutcome.Late -> throw DriverException(Reason.UNREACHABLE, "$address: no answer", "")
        }
    }

    private fun taken(device: BlockDevice): ServedDevice =
        try {
            ServedDevice(device, meter)
        } catch (e: Throwable) {
            device.close()
            throw e
        }

    private fun failure(address: StorageAddress, text: FailureText): DriverException {
        meter.failed()
        val reason = text.reason ?: return DriverException(
            Reason.FAILED,
            "the driver $name failed to open $address: ${text.message}",
            "see what the driver says, and ask its author",
            DriverWords(text),
        )
        return DriverException(reason, text.message, text.remedy, DriverWords(text))
    }

    /** What a driver threw, in words alone: an exception holds its class, and by its trace those of all frames. */
    private class DriverWords(text: FailureText) : Exception(text.stack.ifEmpty { text.message }, null, false, false)
}
