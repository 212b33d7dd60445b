package dev.arraywright.raid.repair

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.array.Progress
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.array.callOff
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.update
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.TimeSource

/**
 * What an operator sees of an array's rebuild, and may do about it. One rebuild runs at a time in an array. Thread-safe.
 */
public class RepairControl internal constructor(
    private val array: RaidArray,
    private val clock: Clock,
    internal val time: TimeSource.WithComparableMarks,
    private val observer: ArrayObserver,
) {
    private val shown = MutableStateFlow<RebuildStatus?>(null)
    private val paused = MutableStateFlow(false)
    private var count = 0

    /** Whose turn it is among several arrays; live. */
    @Volatile
    public var admission: RebuildAdmission = RebuildAdmission.Open

    /** The rebuild that runs or waits, or the last one; null if there was none. */
    public val rebuild: StateFlow<RebuildStatus?> = shown.asStateFlow()

    /** Holds the rebuild where it is; what was filled stays. */
    public suspend fun pause(id: String) {
        active(id, "pause")
        paused.value = true
        phase(RebuildPhase.PAUSED) { it == RebuildPhase.WAITING || it == RebuildPhase.RUNNING }
    }

    /** Lets a paused rebuild go on. */
    public suspend fun resume(id: String) {
        active(id, "resume")
        paused.value = false
        phase(if (turn) RebuildPhase.RUNNING else RebuildPhase.WAITING) { it == RebuildPhase.PAUSED }
    }

    /** Ends the rebuild; its device is a spare again, and its slot stays empty until it is told otherwise. */
    public suspend fun cancel(id: String) {
        val status = active(id, "cancel")
        array.supervisor.change {
            val slot = state.value.slots[status.slot]
            if (slot.deviceId == status.replacement || slot.replacement?.deviceId == status.replacement) {
                callOff(status.slot, null)
            }
        }
    }

    @Volatile
    private var turn = false

    private fun active(id: String, verb: String): RebuildStatus {
        val now = shown.value?.takeIf { !it.phase.terminal }
        return now?.takeIf { it.id == id } ?: throw ArrayException.WrongState(
            "cannot $verb the rebuild $id",
            if (now == null) "no rebuild is running in ${array.name}" else "${array.name} has the rebuild ${now.id}",
            "name a running rebuild",
        )
    }

    internal fun fresh(kind: RebuildKind, slot: Int, failed: String?, device: String, done: Progress): RebuildStatus {
        val id = "${array.name.substringAfter(':')}.${++count}"
        return RebuildStatus(
            id,
            array.name,
            kind,
            slot,
            failed,
            device,
            done,
            0,
            clock.now(),
            null,
            RebuildPhase.WAITING,
        )
    }

    internal fun current(): RebuildStatus = shown.value!!

    internal fun began(status: RebuildStatus) {
        paused.value = false
        show(status)
    }

    /** Runs [action] when it is this array's turn. */
    internal suspend fun <T> admitted(action: suspend () -> T): T = admission.turn(current()) {
        turn = true
        phase(RebuildPhase.RUNNING) { it == RebuildPhase.WAITING }
        try {
            action()
        } finally {
            turn = false
        }
    }

    internal suspend fun unpaused() {
        if (paused.value) paused.first { !it }
    }

    internal fun advanced(progress: Progress, rate: Long, remaining: Duration?) {
        val before = shown.getAndUpdate { it?.copy(progress = progress, rate = rate, remaining = remaining) }
        if (before != null && percent(before.progress) != percent(progress)) observer.rebuild(current())
    }

    internal fun ended(status: RebuildStatus) {
        show(status)
    }

    private fun percent(progress: Progress) = (progress.fraction * 100).toInt()

    private fun phase(next: RebuildPhase, from: (RebuildPhase) -> Boolean) {
        var changed: RebuildStatus? = null
        shown.update { now ->
            changed = now?.takeIf { from(it.phase) }?.copy(phase = next, rate = 0, remaining = null)
            changed ?: now
        }
        changed?.let(observer::rebuild)
    }

    private fun show(status: RebuildStatus) {
        shown.value = status
        observer.rebuild(status)
    }
}
