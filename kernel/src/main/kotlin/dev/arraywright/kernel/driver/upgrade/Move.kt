package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.isolate.DriverCall
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.driver.DriverException
import kotlinx.coroutines.CancellationException
import kotlin.time.Duration
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/** The way of one device through a [HandOver], whose steps these are. What is a driver's runs on threads of its own. */
internal class Move(private val opened: OpenedDevice, private val time: TimeSource) {
    private val device = opened.device
    private val old: BlockDevice? = device.present
    private var next: BlockDevice? = null
    private var pausedSince: TimeMark? = null
    private var trouble: String? = null

    /** What it is at, for a message; null between the steps. */
    @Volatile var doing: String? = null
        private set

    var switched: Boolean = false
        private set

    var paused: Duration = Duration.ZERO
        private set

    /** Runs [steps], whose failure does not matter if the device is closed by now: it goes its own way. */
    suspend fun attempt(steps: suspend () -> Unit) {
        if (device.present == null && next == null) return
        try {
            steps()
        } catch (e: KernelError) {
            if (device.present != null) throw e
            doing = null
        }
    }

    fun pause() {
        device.gate.shut()
        pausedSince = time.markNow()
    }

    suspend fun drain() = step("its calls in flight did not end") { device.gate.drained() }

    suspend fun flushOld() = step("the old version did not flush") {
        val flushed = old ?: return@step
        val visit = Visit(device.gate)
        try {
            apart("flush", flushed) { visit.run { flush(flushed) } }
        } finally {
            visit.giveUp()
        }
    }

    private fun flush(flushed: BlockDevice) {
        try {
            flushed.flush()
        } catch (e: DeviceIoException) {
            device.owe(detached(e, device.info().id()))
            throw e
        }
    }

    suspend fun openNew(open: OpenWithNew) = step("the new version did not open it") {
        val fresh = try {
            open(opened.address, opened.options.takingOver())
        } catch (e: CancellationException) {
            throw e
        } catch (e: KernelError) {
            throw refused("$opened: ${e.message}", e.remedy, (e as? KernelError.DriverUnusable)?.details.orEmpty())
        } catch (e: DriverException) {
            throw refused("$opened: the new version does not open it: ${e.message}", e.remedy())
        } catch (e: Exception) {
            throw refused("$opened: the new version fails to open it: $e")
        }
        next = fresh
        val difference = difference(device.info(), apart("info", fresh) { fresh.info() })
        if (difference != null) throw refused("$opened is another device with the new version: $difference")
    }

    /** Cannot fail: the new device serves, or, if this one is closed by now, neither. */
    fun switch() {
        val from = old ?: return
        val to = next ?: return
        switched = device.replace(from, to)
    }

    fun resume() {
        val since = pausedSince ?: return
        pausedSince = null
        device.gate.open()
        paused = since.elapsedNow()
    }

    /** Closes the one that does not serve: the old one after the switch, the new one without. */
    suspend fun closeLoser() = step("it did not close") {
        val loser = (if (switched) old else next) ?: return@step
        try {
            apart("close", loser) { loser.close() }
        } catch (e: KernelError) {
            trouble = e.why
        }
    }

    /** Why the old device may still hold what it held; null if it is closed. */
    fun closingTrouble(): String? = (trouble ?: doing?.let { "$opened: $it" })?.takeIf { switched }?.let {
        "the old version's device may still be open: $it"
    }

    fun late(limit: Duration): String = "$opened: $doing within $limit"

    /** Stays at the step when that is cancelled, as for a missed deadline. */
    private suspend inline fun step(what: String, block: () -> Unit) {
        doing = what
        block()
        doing = null
    }

    private suspend fun <T> apart(what: String, device: BlockDevice, block: () -> T): T {
        // No deadline here: the one of all devices together cancels it.
        val outcome = DriverCall.apart("$what $opened", device.javaClass.classLoader, Duration.INFINITE, {}, block)
        return when (outcome) {
            is CallOutcome.Returned -> outcome.value
            is CallOutcome.Failed -> with(outcome.failure) { throw refused("$opened: $message", remedy, stack) }
            is CallOutcome.Late -> throw refused("$opened: no answer to $what", details = outcome.stack)
        }
    }

    private companion object {
        fun difference(old: DeviceInfo, new: DeviceInfo): String? = when {
            old.id() != new.id() -> "its id is ${new.id()} instead of ${old.id()}"
            old.size() != new.size() -> "it has ${new.size()} bytes instead of ${old.size()}"
            old.logicalBlockSize() != new.logicalBlockSize() ->
                "its blocks have ${new.logicalBlockSize()} bytes instead of ${old.logicalBlockSize()}"
            old.physicalBlockSize() != new.physicalBlockSize() ->
                "its physical blocks have ${new.physicalBlockSize()} bytes instead of ${old.physicalBlockSize()}"
            old.readOnly() != new.readOnly() ->
                if (new.readOnly()) "it can only be read" else "it can be written, and was opened for reading"
            else -> null
        }
    }
}
