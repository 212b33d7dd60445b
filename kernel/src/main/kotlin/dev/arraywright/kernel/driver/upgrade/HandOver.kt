package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.kernel.KernelError
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.OpenOptions
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.sync.withPermit
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration
import kotlin.time.TimeSource

/** Opens a device with the new version; cancellable, and what is opened after that is closed by whoever opens it. */
internal typealias OpenWithNew = suspend (StorageAddress, OpenOptions) -> BlockDevice

/**
 * Moves all devices of a driver from the old version to the new, or none, while calls go on.
 *
 * ```
 * old serves    openings wait; the old devices are flushed, so that little is left to flush
 * calls wait    those in flight end; the old devices are flushed; the new ones are opened and compared with the old
 *               all are switched at once, which cannot fail
 * new serves    openings go on; the old devices are closed
 * ```
 *
 * No new device serves a call before all are ready, so there is never a way back that would have to undo one: whatever
 * fails or is late before the switch lets the old devices go on, none the wiser, and closes the new ones.
 */
internal class HandOver(
    private val table: DeviceTable,
    private val opening: NewOpening = NewOpening.PAUSED,
    private val limits: HandOverLimits = HandOverLimits(),
    private val time: TimeSource = TimeSource.Monotonic,
) {
    /**
     * Does it. Devices that are closed on the way are left out.
     *
     * @param onSwitch runs at the switch, as its last step that may throw: from then on it is done, whatever this
     *   returns, a cancellation included. Openings that waited see what it did
     * @throws KernelError.DriverUnusable if the old version serves on, and why
     */
    suspend fun run(open: OpenWithNew, onSwitch: () -> Unit = {}): UpgradeReport = table.handingOver.withLock {
        val began = time.markNow()
        table.openings.shut()
        val moves = try {
            move(open, onSwitch)
        } finally {
            table.openings.open()
        }
        val notes = withContext(NonCancellable) { close(moves, limits.closing) }
        val served = moves.filter { it.switched }
        UpgradeReport(served.size, served.maxOfOrNull { it.paused } ?: Duration.ZERO, began.elapsedNow(), notes)
    }

    private suspend fun move(open: OpenWithNew, onSwitch: () -> Unit): List<Move> {
        withTimeoutOrNull(limits.preparing) { table.openings.drained() }
            ?: throw refused("a device is being opened, which takes longer than ${limits.preparing}")
        val moves = table.open.map { Move(it, time) }
        try {
            within(limits.preparing, moves) { move ->
                if (opening == NewOpening.BESIDE) move.openNew(open)
                move.flushOld()
            }
            switch(moves, open, onSwitch)
        } catch (e: Throwable) {
            withContext(NonCancellable) { close(moves, limits.closing) }
            throw e
        }
        return moves
    }

    private suspend fun switch(moves: List<Move>, open: OpenWithNew, onSwitch: () -> Unit) {
        try {
            moves.forEach(Move::pause)
            within(limits.pause, moves) { move ->
                move.drain()
                move.flushOld()
                if (opening == NewOpening.PAUSED) move.openNew(open)
            }
            onSwitch()
            moves.forEach(Move::switch)
        } finally {
            moves.forEach(Move::resume)
        }
    }

    private suspend fun close(moves: List<Move>, limit: Duration): List<String> {
        within(limit, moves, late = {}) { it.closeLoser() }
        return moves.mapNotNull { it.closingTrouble() }
    }

    private suspend fun within(
        limit: Duration,
        moves: List<Move>,
        late: (Move?) -> Unit = { throw refused(it?.late(limit) ?: "it takes longer than $limit") },
        step: suspend (Move) -> Unit,
    ) {
        val atOnce = Semaphore(AT_ONCE)
        withTimeoutOrNull(limit) {
            coroutineScope { for (move in moves) launch { atOnce.withPermit { move.attempt { step(move) } } } }
        } ?: late(moves.firstOrNull { it.doing != null })
    }

    private companion object {
        /** Devices worked on at once, each of which has a thread then. */
        const val AT_ONCE = 64
    }
}

internal fun refused(why: String, remedy: String = "", details: String = "") = KernelError.DriverUnusable(
    "the devices stay with the old version of their driver",
    why,
    remedy.ifEmpty { "see what is wrong with the device or the new version, then try again" },
    details,
)
