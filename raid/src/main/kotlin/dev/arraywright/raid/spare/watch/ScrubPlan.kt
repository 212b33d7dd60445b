package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.repair.ScrubStatus
import dev.arraywright.raid.spare.ScrubMark
import dev.arraywright.raid.spare.refusal
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

/**
 * When a group is scrubbed: by policy, from where the last one was interrupted, and only while the array is whole. One
 * that somebody started or stopped counts like those by policy. For the supervisor's coroutine.
 */
internal class ScrubPlan(private val group: ManagedGroup, private val shared: Shared) {
    private val marks get() = shared.surroundings.marks
    private val scrubs get() = group.array.scrubs
    private var mark: ScrubMark? = null
    private var waits = false

    /** When the scrub began that the mark knows the end of. */
    private var told: Instant? = scrubs.status.value?.takeIf { it.phase.terminal }?.started

    /** Begins, holds or goes on with a scrub. */
    suspend fun act() {
        if (!group.array.geometry.level().redundant()) return
        val whole = group.state.phase == ArrayPhase.Healthy && group.state.slots.all { it.replacement == null }
        val phase = scrubs.status.value?.phase
        when {
            phase == RebuildPhase.RUNNING && !whole -> {
                waits = true
                scrubs.pause()
            }
            phase == RebuildPhase.PAUSED && whole && waits -> {
                waits = false
                scrubs.resume()
            }
            // The mark is that of a running scrub until its end was told.
            (phase == null || (phase.terminal && scrubs.status.value?.started == told)) && whole ->
                if (due()) begin()
        }
    }

    /** How far it is, for after a restart. */
    suspend fun moved(status: ScrubStatus) {
        val completed = loaded().completed
        when (status.phase) {
            RebuildPhase.WAITING, RebuildPhase.RUNNING, RebuildPhase.PAUSED ->
                save(ScrubMark(status.progress.done, status.mode, completed))
            // Broken off with its array, it goes on with it.
            RebuildPhase.CANCELLED -> if (!group.state.stopped) {
                save(ScrubMark(0, ScrubMode.CHECK, shared.clock.now()))
            }
            RebuildPhase.COMPLETE, RebuildPhase.FAILED -> save(ScrubMark(0, ScrubMode.CHECK, shared.clock.now()))
        }
        if (status.phase.terminal) told = status.started
    }

    private suspend fun due(): Boolean {
        val interval = shared.policy.value.scrubInterval
        val mark = loaded()
        return mark.position > 0 || (interval != null && shared.clock.now() - mark.completed >= interval)
    }

    private suspend fun begin() {
        val mark = loaded()
        waits = false
        scrubs.start(mark.mode, mark.position)
    }

    private suspend fun loaded(): ScrubMark = mark ?: run {
        val saved = withTimeoutOrNull(PATIENCE) { Loaded(marks.load(group.array.uuid)) }
            ?: throw late("read")
        mark = saved.mark
        saved.mark ?: ScrubMark(0, ScrubMode.CHECK, shared.clock.now()).also { save(it) }
    }

    private suspend fun save(next: ScrubMark) {
        mark = next
        withTimeoutOrNull(PATIENCE) { marks.save(group.array.uuid, next) }
            ?: throw late("saved")
    }

    private fun late(what: String) =
        refusal("cannot plan scrubs of ${group.name}", "its mark cannot be $what within $PATIENCE", "check the disk")

    private class Loaded(val mark: ScrubMark?)

    private companion object {
        val PATIENCE = 10.seconds
    }
}
