package dev.arraywright.raid.array

import dev.arraywright.raid.layout.Geometry

/**
 * All that is to know of an array at one moment. Its [phase] follows from the rest, worst first:
 *
 * ```
 * phase       what it means                                     leaves it on
 * Stopped     ended; nothing changes any more                   -
 * Failed      past tolerance: reads where possible, no writes   Stop
 * Resyncing   redundancy is being made to agree with the data   ResyncFinished, MemberFailed beyond tolerance, Stop
 * Rebuilding  a replacement is being filled                     RebuildFinished, MemberFailed, Stop
 * Degraded    serves with slots empty                           RebuildStarted, MemberFailed, Stop
 * Healthy     every slot in sync                                MemberFailed, Stop
 * ```
 *
 * [on] is the transition function; an event that means nothing in a state leaves it as it is.
 */
public data class ArrayState(
    public val geometry: Geometry,
    public val slots: List<SlotState>,
    public val spares: List<String>,
    /** False from before the first write until all has been quiet and flushed for a while. */
    public val clean: Boolean,
    /** How far redundancy agrees with the data; null: throughout. */
    public val resync: Progress?,
    /** Why the array is past its tolerance; null while it is not. */
    public val failure: String?,
    public val stopped: Boolean,
    /** md's event counter, as last recorded on the members. */
    public val events: Long,
    public val lastError: String?,
) {
    /** How many slots have no member that is in sync. */
    public val missing: Int get() = slots.count { it.member != MemberState.InSync }

    public val phase: ArrayPhase
        get() {
            val rebuild = slots.firstNotNullOfOrNull { it.member as? MemberState.Rebuilding }
            return when {
                stopped -> ArrayPhase.Stopped
                failure != null -> ArrayPhase.Failed(failure)
                resync != null -> ArrayPhase.Resyncing(resync)
                rebuild != null -> ArrayPhase.Rebuilding(rebuild.progress)
                missing > 0 -> ArrayPhase.Degraded(missing)
                else -> ArrayPhase.Healthy
            }
        }

    /** The state after [event]; pure. */
    public fun on(event: ArrayEvent): ArrayState = when {
        stopped -> this
        event is ArrayEvent.Stop -> copy(stopped = true)
        event is ArrayEvent.ErrorSeen -> copy(lastError = event.text)
        failure != null -> if (event is ArrayEvent.MemberFailed) past(event) else this
        else -> serving(event)
    }

    private fun serving(event: ArrayEvent): ArrayState = when (event) {
        is ArrayEvent.WriteBegan -> copy(clean = false)
        is ArrayEvent.WentIdle -> copy(clean = true)
        is ArrayEvent.Recorded -> copy(events = event.events)
        is ArrayEvent.MemberFailed -> failed(event)
        is ArrayEvent.MemberRemoved -> change(event.slot) { if (it is MemberState.Faulty) MemberState.Missing else it }
        is ArrayEvent.SpareAdded -> copy(spares = spares + event.deviceId)
        is ArrayEvent.SpareGone -> copy(spares = spares - event.deviceId)
        is ArrayEvent.RebuildStarted -> started(event)
        is ArrayEvent.RebuildAdvanced -> change(event.slot) {
            if (it is MemberState.Rebuilding) MemberState.Rebuilding(it.progress.copy(done = event.done)) else it
        }
        is ArrayEvent.RebuildFinished -> change(event.slot) {
            if (it is MemberState.Rebuilding) MemberState.InSync else it
        }
        is ArrayEvent.ResyncAdvanced -> copy(resync = resync?.copy(done = event.done))
        is ArrayEvent.ResyncFinished -> copy(resync = null)
        is ArrayEvent.ErrorSeen, is ArrayEvent.Stop -> error("handled by on()")
    }

    private fun failed(event: ArrayEvent.MemberFailed): ArrayState {
        if (!slots[event.slot].member.takesWrites) return this
        val rest = geometry.survives { it != event.slot && slots[it].member == MemberState.InSync }
        if (!rest && slots[event.slot].member == MemberState.InSync) return past(event)
        return change(event.slot) { MemberState.Faulty(event.cause) }.copy(lastError = event.cause)
    }

    /** A member that is only past writing keeps its place: its bytes may be the last copy. */
    private fun past(event: ArrayEvent.MemberFailed): ArrayState {
        if (!slots[event.slot].member.takesWrites) return this
        val why = failure ?: "slot ${event.slot} failed (${event.cause}), and $missing of ${slots.size} members were " +
            "missing already; ${geometry.level()} cannot do without more"
        val kept = if (event.readable)
            this
        else
            change(event.slot) {
                if (it.takesWrites) MemberState.Faulty(event.cause) else it
            }
        return kept.copy(failure = why, lastError = event.cause)
    }

    private fun started(event: ArrayEvent.RebuildStarted): ArrayState {
        if (slots[event.slot].member.takesWrites) return this
        val progress = Progress(event.done, geometry.componentSize())
        val slot = SlotState(event.slot, event.deviceId, MemberState.Rebuilding(progress))
        return copy(slots = slots.map { if (it.slot == event.slot) slot else it }, spares = spares - event.deviceId)
    }

    private fun change(slot: Int, next: (MemberState) -> MemberState): ArrayState =
        copy(
            slots = slots.map {
                if (it.slot != slot)
                    it
                else
                    next(it.member).let { member ->
                        SlotState(slot, it.deviceId.takeIf { member != MemberState.Missing }, member)
                    }
            },
        )
}

/** A slot of the array and what is in it; [deviceId] is null where nothing is. */
public data class SlotState(public val slot: Int, public val deviceId: String?, public val member: MemberState)

/** Bytes [done] of [total]. */
public data class Progress(public val done: Long, public val total: Long) {
    /** From 0 to 1. */
    public val fraction: Double get() = if (total == 0L) 1.0 else done.toDouble() / total
}

/** The state of a slot. */
public sealed interface MemberState {
    /** Has every byte. */
    public data object InSync : MemberState

    /** A replacement that has the bytes below [progress]; it takes every write. */
    public data class Rebuilding(public val progress: Progress) : MemberState

    /** Left out because of [cause]; still there until removed. */
    public data class Faulty(public val cause: String) : MemberState

    /** Nothing there. */
    public data object Missing : MemberState

    /** True if writes go to it. */
    public val takesWrites: Boolean get() = this is InSync || this is Rebuilding
}

/** An array's overall condition; see the table at [ArrayState]. */
public sealed interface ArrayPhase {
    public data object Healthy : ArrayPhase

    public data class Degraded(public val missing: Int) : ArrayPhase

    public data class Resyncing(public val progress: Progress) : ArrayPhase

    public data class Rebuilding(public val progress: Progress) : ArrayPhase

    public data class Failed(public val reason: String) : ArrayPhase

    public data object Stopped : ArrayPhase
}

/** What happens to an array. */
public sealed interface ArrayEvent {
    public data object WriteBegan : ArrayEvent

    public data object WentIdle : ArrayEvent

    /** The superblocks of all members say [events] now. */
    public data class Recorded(public val events: Long) : ArrayEvent

    /** [readable]: it may still be read from, should it be the last copy. */
    public data class MemberFailed(
        public val slot: Int,
        public val cause: String,
        public val readable: Boolean,
    ) : ArrayEvent

    public data class MemberRemoved(public val slot: Int) : ArrayEvent

    public data class SpareAdded(public val deviceId: String) : ArrayEvent

    public data class SpareGone(public val deviceId: String) : ArrayEvent

    public data class RebuildStarted(
        public val slot: Int,
        public val deviceId: String,
        public val done: Long,
    ) : ArrayEvent

    public data class RebuildAdvanced(public val slot: Int, public val done: Long) : ArrayEvent

    public data class RebuildFinished(public val slot: Int) : ArrayEvent

    public data class ResyncAdvanced(public val done: Long) : ArrayEvent

    public data object ResyncFinished : ArrayEvent

    public data class ErrorSeen(public val text: String) : ArrayEvent

    public data object Stop : ArrayEvent
}
