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
    /** Who had a slot and was not let go yet. */
    public val out: List<OutDevice> = emptyList(),
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
        is ArrayEvent.DeviceReleased -> released(event.deviceId)
        is ArrayEvent.SpareAdded -> copy(spares = spares + event.deviceId)
        is ArrayEvent.SpareGone -> copy(spares = spares - event.deviceId)
        is ArrayEvent.RebuildStarted -> started(event)
        is ArrayEvent.RebuildEnded -> ended(event)
        is ArrayEvent.ReplacementStarted -> replacing(event)
        is ArrayEvent.ReplacementAdvanced -> replacement(event.slot) {
            it.copy(progress = it.progress.copy(done = event.done))
        }
        is ArrayEvent.ReplacementEnded -> replacementEnded(event)
        is ArrayEvent.ReplacementFinished -> replaced(event)
        is ArrayEvent.RebuildAdvanced -> change(event.slot) {
            if (it is MemberState.Rebuilding) it.copy(progress = it.progress.copy(done = event.done)) else it
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
        val slot = slots[event.slot]
        val whole = slot.replacement?.whole == true
        if (!rest && !whole && slot.member == MemberState.InSync) return past(event)
        val device = slot.deviceId?.let { OutDevice(it, event.slot, OutDevice.Kind.FAILED, event.cause) }
        val next = if (slot.replacement == null)
            slot.copy(member = MemberState.Faulty(event.cause))
        else
            heir(slot, slot.replacement)
        return with(next).copy(lastError = event.cause, out = out + listOfNotNull(device))
    }

    /** The one being filled beside a member that is no more. */
    private fun heir(slot: SlotState, replacement: Replacement): SlotState {
        val member = if (replacement.whole) MemberState.InSync else MemberState.Rebuilding(replacement.progress)
        return SlotState(slot.slot, replacement.deviceId, member)
    }

    private fun released(deviceId: String): ArrayState = copy(
        slots = slots.map {
            if (it.deviceId == deviceId && it.member is MemberState.Faulty)
                SlotState(it.slot, null, MemberState.Missing)
            else
                it
        },
        out = out.filter { it.deviceId != deviceId },
    )

    private fun ended(event: ArrayEvent.RebuildEnded): ArrayState {
        val slot = slots[event.slot]
        if (slot.member !is MemberState.Rebuilding) return this
        return with(SlotState(event.slot, null, MemberState.Missing))
            .copy(spares = spares + listOfNotNull(slot.deviceId), lastError = event.cause ?: lastError)
    }

    private fun replacing(event: ArrayEvent.ReplacementStarted): ArrayState {
        val slot = slots[event.slot]
        if (slot.member != MemberState.InSync || slot.replacement != null) return this
        val replacement = Replacement(event.deviceId, Progress(event.done, geometry.componentSize()))
        return with(slot.copy(replacement = replacement)).copy(spares = spares - event.deviceId)
    }

    private fun replacementEnded(event: ArrayEvent.ReplacementEnded): ArrayState {
        val replacement = slots[event.slot].replacement ?: return this
        val without = with(slots[event.slot].copy(replacement = null))
        return if (event.cause == null || !event.spareAtFault)
            without.copy(spares = spares + replacement.deviceId, lastError = event.cause ?: lastError)
        else
            without.copy(
                lastError = event.cause,
                out = out + OutDevice(replacement.deviceId, event.slot, OutDevice.Kind.FAILED, event.cause),
            )
    }

    private fun replaced(event: ArrayEvent.ReplacementFinished): ArrayState {
        val slot = slots[event.slot]
        val replacement = slot.replacement ?: return this
        val old = slot.deviceId?.let { OutDevice(it, event.slot, OutDevice.Kind.REPLACED, event.cause) }
        return with(
            SlotState(event.slot, replacement.deviceId, MemberState.InSync),
        ).copy(out = out + listOfNotNull(old))
    }

    private fun replacement(slot: Int, next: (Replacement) -> Replacement): ArrayState =
        with(slots[slot].let { it.copy(replacement = it.replacement?.let(next)) })

    private fun with(slot: SlotState): ArrayState = copy(slots = slots.map { if (it.slot == slot.slot) slot else it })

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
        val member = MemberState.Rebuilding(Progress(event.done, geometry.componentSize()), event.byBitmap)
        return with(SlotState(event.slot, event.deviceId, member))
            .copy(spares = spares - event.deviceId, out = out.filter { it.deviceId != event.deviceId })
    }

    private fun change(slot: Int, next: (MemberState) -> MemberState): ArrayState =
        with(slots[slot].let { it.copy(member = next(it.member)) })
}

/**
 * A slot of the array and what is in it; [deviceId] is null where nothing is. A [replacement] is filled beside a member
 * that still serves, and takes its place when it is whole.
 */
public data class SlotState(
    public val slot: Int,
    public val deviceId: String?,
    public val member: MemberState,
    public val replacement: Replacement? = null,
)

/** A device that has the bytes of a slot below [progress], and takes every write to it. */
public data class Replacement(public val deviceId: String, public val progress: Progress) {
    /** True if it has every byte. */
    public val whole: Boolean get() = progress.done >= progress.total
}

/** A device that had [slot] until it failed or was replaced. */
public data class OutDevice(
    public val deviceId: String,
    public val slot: Int,
    public val kind: Kind,
    public val cause: String,
) {
    public enum class Kind { FAILED, REPLACED }
}

/** Bytes [done] of [total]. */
public data class Progress(public val done: Long, public val total: Long) {
    /** From 0 to 1. */
    public val fraction: Double get() = if (total == 0L) 1.0 else done.toDouble() / total
}

/** The state of a slot. */
public sealed interface MemberState {
    /** Has every byte. */
    public data object InSync : MemberState

    /**
     * A newcomer that has the bytes below [progress]; it takes every write. [byBitmap]: it was a member before, and
     * only what the write-intent bitmap says it missed is filled.
     */
    public data class Rebuilding(public val progress: Progress, public val byBitmap: Boolean = false) : MemberState

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
