package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.OutDevice
import dev.arraywright.raid.array.Progress
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus
import dev.arraywright.raid.spare.GroupEvent

/** Makes events of what the engine told. For the supervisor's coroutine. */
internal class Reports(private val group: ManagedGroup, private val shared: Shared) {
    private val name = group.name
    private var rebuild: RebuildStatus? = null
    private var scrub: ScrubStatus? = null
    private var missing = 0
    private var failed = false
    private var resyncing = false

    /** Every member is in sync, which is told once the rebuild that made it so is told to be complete. */
    private var recovered = false

    /** Everything that is not as it should be. */
    fun all(now: ArrayState) {
        condition(now)
        group.array.repair.rebuild.value?.takeIf { !it.phase.terminal }?.let(::rebuild)
        group.array.scrubs.status.value?.takeIf { !it.phase.terminal }?.let(::scrub)
    }

    fun changed(before: ArrayState, after: ArrayState) {
        members(before, after)
        spares(before, after)
        condition(before)
        condition(after)
    }

    /** What is different from what was told last; nothing was told of a healthy array. */
    private fun condition(now: ArrayState) {
        if (resyncing != (now.resync != null)) {
            resyncing = !resyncing
            tell(if (resyncing) GroupEvent.ResyncStarted(name) else GroupEvent.ResyncFinished(name))
        }
        if (now.failure != null || now.missing > missing) tellRecovered()
        if (now.failure != null) {
            if (!failed) tell(GroupEvent.Failed(name, now.failure))
            failed = true
            return
        }
        if (now.missing > missing) tell(GroupEvent.Degraded(name, now.missing))
        if (now.missing == 0 && missing > 0) {
            recovered = true
            if (rebuild?.phase?.terminal != false) tellRecovered()
        }
        missing = now.missing
    }

    private fun tellRecovered() {
        if (recovered) tell(GroupEvent.Recovered(name))
        recovered = false
    }

    /** Every change of phase, and each ten percent. */
    fun rebuild(status: RebuildStatus) {
        val last = rebuild?.takeIf { it.id == status.id }
        val same = last != null && last.phase == status.phase && last.progress.tenth == status.progress.tenth
        // Told at its registration, and again by what waited in between.
        val old = last != null && (last.phase.terminal || last.progress.done > status.progress.done)
        if (same || old) return
        rebuild = status
        tell(GroupEvent.Rebuild(name, status))
        if (status.phase.terminal) tellRecovered()
    }

    /** Every change of phase, each ten percent, and what was found. */
    fun scrub(status: ScrubStatus) {
        val last = scrub?.takeIf { it.started == status.started }
        val same = last != null && last.phase == status.phase && last.progress.tenth == status.progress.tenth &&
            last.mismatches == status.mismatches
        if (same || last?.phase?.terminal == true) return
        scrub = status
        tell(GroupEvent.Scrub(name, status))
    }

    private fun members(before: ArrayState, after: ArrayState) {
        for (out in after.out - before.out.toSet()) {
            val was = before.slots[out.slot]
            when {
                out.kind == OutDevice.Kind.REPLACED -> {
                    val by = after.slots[out.slot].deviceId
                    tell(GroupEvent.MemberReplaced(name, out.slot, out.deviceId, by, out.cause))
                }
                // A spare that failed while it was filled is told of when its rebuild ends.
                was.deviceId == out.deviceId && was.member == MemberState.InSync ->
                    tell(GroupEvent.MemberFailed(name, out.slot, out.deviceId, out.cause))
            }
        }
        for (slot in after.slots) {
            val faulty = slot.member as? MemberState.Faulty ?: continue
            val was = before.slots[slot.slot]
            // Past tolerance a member keeps its place.
            val past = was.member == MemberState.InSync && after.out.none { it.deviceId == slot.deviceId }
            if (past) tell(GroupEvent.MemberFailed(name, slot.slot, slot.deviceId.orEmpty(), faulty.cause))
        }
        val there = after.devices + after.spares + after.out.map { it.deviceId }
        for (out in before.out) if (out.deviceId !in there) tell(GroupEvent.MemberRemoved(name, out.deviceId))
    }

    private fun spares(before: ArrayState, after: ArrayState) {
        // One that was called off is a spare again, which is no news either.
        for (id in after.spares) {
            if (id in before.spares || id in before.devices || id in group.lent) continue
            group.lift()
            tell(GroupEvent.SpareAdded(name, id))
        }
        for (id in before.spares) {
            if (id in after.spares || id in after.devices || id in group.lent) continue
            val error = after.lastError.takeIf { it != before.lastError }
            if (after.out.any { it.deviceId == id }) continue
            tell(if (error == null) GroupEvent.SpareRemoved(name, id) else GroupEvent.SpareFailed(name, id, error))
        }
    }

    private fun tell(event: GroupEvent) {
        shared.tell(event)
    }

    private val ArrayState.devices get() = slots.flatMap { listOfNotNull(it.deviceId, it.replacement?.deviceId) }

    private val Progress.tenth get() = (fraction * TENTHS).toInt()

    private companion object {
        const val TENTHS = 10
    }
}

/** True if a rebuild ended as somebody called it off, not with its array. */
internal fun RebuildStatus.calledOff(now: ArrayState): Boolean =
    phase == RebuildPhase.CANCELLED && !now.stopped && now.failure == null && replacement in now.spares
