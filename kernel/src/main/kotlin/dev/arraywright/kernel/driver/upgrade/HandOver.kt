package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.kernel.KernelError
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.OpenOptions
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
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
 * The devices of one driver, for a [HandOver].
 *
 * @property open with the new version
 */
internal class HandOverPart(val table: DeviceTable, val opening: NewOpening, val open: OpenWithNew)

/**
 * Moves all devices of drivers from the old versions to the new, or none of any driver, while calls go on.
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
 *
 * @param parts each after those that its driver requires: what needs others falls silent before them, and is opened
 *   after them. Nobody is asked for a device of another part while calls wait
 */
internal class HandOver(
    private val parts: List<HandOverPart>,
    private val limits: HandOverLimits = HandOverLimits(),
    private val time: TimeSource = TimeSource.Monotonic,
) {
    private class Moves(val part: HandOverPart, time: TimeSource) {
        val all = part.table.open.map { Move(it, time) }
    }

    /**
     * Does it, and tells of each part. Devices that are closed on the way are left out.
     *
     * @param onSwitch runs at the switch, as its last step that may throw: from then on it is done, whatever this
     *   returns, a cancellation included. Openings that waited see what it did
     * @throws KernelError.DriverUnusable if the old versions serve on, and why
     */
    suspend fun run(onSwitch: () -> Unit = {}): List<UpgradeReport> = alone(parts.map { it.table.handingOver }) {
        val began = time.markNow()
        parts.forEach { it.table.openings.shut() }
        val moves = try {
            move(onSwitch)
        } finally {
            parts.forEach { it.table.openings.open() }
        }
        withContext(NonCancellable) { close(moves) }
        moves.map { it.all }.map { of ->
            val served = of.filter { it.switched }
            val pause = served.maxOfOrNull { it.paused } ?: Duration.ZERO
            UpgradeReport(served.size, pause, began.elapsedNow(), of.mapNotNull { it.closingTrouble() })
        }
    }

    private suspend fun <T> alone(locks: List<Mutex>, work: suspend () -> T): T =
        if (locks.isEmpty()) work() else locks.first().withLock { alone(locks.drop(1), work) }

    private suspend fun move(onSwitch: () -> Unit): List<Moves> {
        withTimeoutOrNull(limits.preparing) { parts.forEach { it.table.openings.drained() } }
            ?: throw refused("a device is being opened, which takes longer than ${limits.preparing}")
        val moves = parts.map { Moves(it, time) }
        try {
            within(limits.preparing, moves) {
                for (of in moves) if (of.part.opening == NewOpening.BESIDE) each(of) { it.openNew(of.part.open) }
                for (of in moves.reversed()) each(of) { it.flushOld() }
            }
            switch(moves, onSwitch)
        } catch (e: Throwable) {
            withContext(NonCancellable) { close(moves) }
            throw e
        }
        return moves
    }

    private suspend fun switch(moves: List<Moves>, onSwitch: () -> Unit) {
        try {
            within(limits.pause, moves) {
                for (of in moves.reversed()) {
                    of.all.forEach(Move::pause)
                    each(of) { move ->
                        move.drain()
                        move.flushOld()
                        // The first part is the last to fall silent, and none of its devices has to wait for another.
                        if (of === moves.first()) open(move, of.part)
                    }
                }
                for (of in moves.drop(1)) each(of) { open(it, of.part) }
            }
            onSwitch()
            for (of in moves) of.all.forEach(Move::switch)
        } finally {
            for (of in moves) of.all.forEach(Move::resume)
        }
    }

    private suspend fun open(move: Move, part: HandOverPart) {
        if (part.opening == NewOpening.PAUSED) move.openNew(part.open)
    }

    private suspend fun close(moves: List<Moves>) {
        within(limits.closing, moves, late = {}) { for (of in moves.reversed()) each(of) { it.closeLoser() } }
    }

    private suspend fun within(
        limit: Duration,
        moves: List<Moves>,
        late: (Move?) -> Unit = { throw refused(it?.late(limit) ?: "it takes longer than $limit") },
        work: suspend () -> Unit,
    ) {
        withTimeoutOrNull(limit) { work() } ?: late(moves.flatMap { it.all }.firstOrNull { it.doing != null })
    }

    private suspend fun each(of: Moves, step: suspend (Move) -> Unit) {
        val atOnce = Semaphore(AT_ONCE)
        coroutineScope { for (move in of.all) launch { atOnce.withPermit { move.attempt { step(move) } } } }
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
