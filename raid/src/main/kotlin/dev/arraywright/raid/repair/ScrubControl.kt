package dev.arraywright.raid.repair

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.array.Progress
import dev.arraywright.raid.array.RaidArray
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlin.time.Clock
import kotlin.time.TimeSource

/** Starts an array's scrubs, one at a time, and shows what they find. Thread-safe. */
public class ScrubControl internal constructor(
    private val array: RaidArray,
    private val clock: Clock,
    private val time: TimeSource.WithComparableMarks,
    private val observer: ArrayObserver,
    private val sweep: Sweep,
    private val scope: CoroutineScope,
) {
    private val shown = MutableStateFlow<ScrubStatus?>(null)
    private val paused = MutableStateFlow(false)
    private val mutex = Mutex()
    private var job: Job? = null

    /** The scrub that runs, or the last one's report; null if there was none. */
    public val status: StateFlow<ScrubStatus?> = shown.asStateFlow()

    /**
     * Begins at member offset [from], as an earlier scrub's progress told, and goes on in the background.
     * [ArrayException.WrongState] if one runs, the array is not whole, or has no redundancy.
     */
    public suspend fun start(mode: ScrubMode, from: Long = 0): Unit = mutex.withLock {
        refuseUnlessWhole()
        val total = array.geometry.componentSize()
        val status = ScrubStatus(
            array.name,
            mode,
            Progress(from.coerceIn(0, total), total),
            0,
            0,
            0,
            emptyList(),
            0,
            clock.now(),
            null,
            RebuildPhase.RUNNING,
        )
        paused.value = false
        show(status)
        // Begun at once, so that it has an end even if it is stopped right away.
        job = scope.launch(start = CoroutineStart.UNDISPATCHED) { run(status) }
    }

    /** Holds the scrub where it is. */
    public suspend fun pause(): Unit = mutex.withLock {
        val now = active("pause")
        paused.value = true
        if (now.phase == RebuildPhase.RUNNING) show(now.copy(phase = RebuildPhase.PAUSED, rate = 0, remaining = null))
    }

    /** Lets a paused scrub go on. */
    public suspend fun resume(): Unit = mutex.withLock {
        val now = active("resume")
        paused.value = false
        if (now.phase == RebuildPhase.PAUSED) show(now.copy(phase = RebuildPhase.RUNNING))
    }

    /** Ends the scrub; its report stays. */
    public suspend fun stop(): Unit = mutex.withLock {
        active("stop")
        job?.cancelAndJoin()
    }

    /** Ends with the array. */
    internal suspend fun end() {
        job?.cancelAndJoin()
    }

    private suspend fun run(first: ScrubStatus) {
        val scrub = Scrub(array, first, RateMeter(time), paused, ::show)
        try {
            val start = array.geometry.firstStripe { array.geometry.memberOffset(it) >= first.progress.done }
            sweep.run(start, scrub)
            val failure = array.state.value.failure
            show(scrub.ended(if (failure == null) RebuildPhase.COMPLETE else RebuildPhase.FAILED, failure))
        } catch (cancelled: CancellationException) {
            show(scrub.ended(RebuildPhase.CANCELLED, null))
            throw cancelled
        }
    }

    private fun refuseUnlessWhole() {
        val now = array.state.value
        val why = when {
            shown.value?.phase?.terminal == false -> "a scrub is running"
            !array.geometry.level().redundant() -> "${array.geometry.level()} has no redundancy to compare with"
            now.failure != null -> "the array has failed: ${now.failure}"
            now.stopped -> "the array is stopped"
            now.missing > 0 -> "${now.missing} of ${now.slots.size} members are missing, so there is nothing to compare"
            now.resync != null -> "a resync is running, which makes redundancy agree by itself"
            else -> return
        }
        throw ArrayException.WrongState("cannot scrub ${array.name}", why, "wait until the array is healthy and idle")
    }

    private fun active(verb: String): ScrubStatus =
        shown.value?.takeIf { !it.phase.terminal } ?: throw ArrayException.WrongState(
            "cannot $verb the scrub of ${array.name}",
            "none is running",
            "start one first",
        )

    private fun show(status: ScrubStatus) {
        val before = shown.value
        shown.value = status
        val percent = (status.progress.fraction * PERCENT).toInt()
        val same = before != null && before.phase == status.phase && before.mismatches == status.mismatches &&
            (before.progress.fraction * PERCENT).toInt() == percent && before.started == status.started
        if (!same) observer.scrub(status)
    }

    private companion object {
        const val PERCENT = 100
    }
}
