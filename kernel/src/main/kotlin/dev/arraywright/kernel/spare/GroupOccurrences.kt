package dev.arraywright.kernel.spare

import dev.arraywright.kernel.event.ArrayDegraded
import dev.arraywright.kernel.event.ArrayFailed
import dev.arraywright.kernel.event.ArrayRecovered
import dev.arraywright.kernel.event.ArrayResyncComplete
import dev.arraywright.kernel.event.ArrayResyncStarted
import dev.arraywright.kernel.event.DeviceAdded
import dev.arraywright.kernel.event.DeviceFailed
import dev.arraywright.kernel.event.DeviceHealthWarning
import dev.arraywright.kernel.event.DeviceReadded
import dev.arraywright.kernel.event.DeviceRemoved
import dev.arraywright.kernel.event.DeviceReturned
import dev.arraywright.kernel.event.FailoverStarted
import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.kernel.event.SpareAdded
import dev.arraywright.kernel.event.SpareExhausted
import dev.arraywright.kernel.event.SpareFailed
import dev.arraywright.kernel.event.SpareRemoved
import dev.arraywright.kernel.event.SupervisorTrouble
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.spare.GroupEvent

/**
 * What supervisors tell, as occurrences with addresses in the place of device ids; each thing once. Events of one group
 * have to come in their order.
 */
internal class GroupOccurrences(private val custody: Custody, private val emit: (Occurrence) -> Unit) {
    private val rebuilds = RebuildStory(emit)
    private val scrubs = ScrubStory(emit)

    @Synchronized
    fun tell(event: GroupEvent) {
        when (event) {
            is GroupEvent.Rebuild -> rebuilds.tell(
                event.group,
                event.status.toView(event.group) {
                    at(event.group, it)
                },
            )
            is GroupEvent.Scrub -> scrubs.tell(event.group, event.status)
            is GroupEvent.FailoverStarted -> failover(event)
            // The rebuild beside the member tells it.
            is GroupEvent.MemberReplaced -> Unit
            else -> emit(occurrence(event))
        }
    }

    /** The group is looked after no more: what it had begun has ended. */
    @Synchronized
    fun end(group: String) {
        rebuilds.end(group)
        scrubs.end(group)
    }

    private fun occurrence(event: GroupEvent): Occurrence = when (event) {
        is GroupEvent.SpareAdded -> spareAdded(event)
        is GroupEvent.SpareRemoved -> SpareRemoved(subject(event.group), at(event.group, event.device))
        is GroupEvent.SpareFailed -> SpareFailed(subject(event.group), at(event.group, event.device), event.cause)
        is GroupEvent.SparesExhausted -> exhausted(event)
        is GroupEvent.SupervisorTrouble -> SupervisorTrouble(subject(event.group), custody.addressed(event.cause))
        is GroupEvent.Degraded -> ArrayDegraded(event.group, event.missing, slots(event.group))
        is GroupEvent.Recovered -> ArrayRecovered(event.group)
        is GroupEvent.Failed -> {
            val missing = state(event.group)?.missing ?: 0
            ArrayFailed(event.group, missing, slots(event.group), custody.addressed(event.reason))
        }
        is GroupEvent.ResyncStarted -> {
            val resync = state(event.group)?.resync
            ArrayResyncStarted(event.group, resync?.total ?: syncSize(event.group), resync?.done ?: 0)
        }
        is GroupEvent.ResyncFinished -> ArrayResyncComplete(event.group, syncSize(event.group))
        else -> member(event)
    }

    private fun member(event: GroupEvent): Occurrence = when (event) {
        is GroupEvent.MemberFailed ->
            DeviceFailed(event.group, at(event.group, event.device), event.slot, custody.addressed(event.cause))
        is GroupEvent.MemberRemoved -> DeviceRemoved(event.group, at(event.group, event.device))
        is GroupEvent.HealthWarning ->
            DeviceHealthWarning(event.group, at(event.group, event.device), event.slot, null, event.cause)
        is GroupEvent.MemberReturned -> {
            val now = state(event.group)?.slots?.get(event.slot)?.takeIf { it.member.takesWrites }?.deviceId
            val other = now?.takeIf { it != event.device }?.let { at(event.group, it) }
            val why = custody.addressed(event.why)
            DeviceReturned(event.group, at(event.group, event.device), event.slot, other, why)
        }
        is GroupEvent.MemberReadded -> {
            val bitmap = custody.array(event.group)?.raid?.bitmap?.takeIf { event.byBitmap }
            val dirty = bitmap?.let { it.dirty * it.chunk }
            DeviceReadded(event.group, at(event.group, event.device), event.slot, dirty)
        }
        else -> error("$event is told elsewhere")
    }

    private fun failover(event: GroupEvent.FailoverStarted) {
        val spare = at(event.group, event.spare)
        val slot = state(event.group)?.slots?.get(event.slot)
        val predicted = slot?.member == MemberState.InSync && slot.deviceId == event.failed
        val failed = event.failed?.let { at(event.group, it) }
        val cause = custody.addressed(event.cause)
        emit(FailoverStarted(event.group, failed, event.slot, spare, predicted, cause))
        if (custody.joined(event.group, event.spare)) emit(DeviceAdded(event.group, spare, event.slot))
    }

    /** A spare of an array that has an empty slot is there to be a member. */
    private fun spareAdded(event: GroupEvent.SpareAdded): Occurrence {
        val group = event.group
        val address = at(group, event.device)
        val now = group?.let(::state)
        val slot = now?.slots?.firstOrNull { it.deviceId == event.device }?.slot
            ?: now?.slots?.firstOrNull { !it.member.takesWrites }?.slot
        return if (group != null && slot != null)
            DeviceAdded(group, address, slot)
        else
            SpareAdded(subject(group), address, custody.device(event.device)?.device?.info()?.size())
    }

    private fun exhausted(event: GroupEvent.SparesExhausted): Occurrence {
        val each = event.why.map { (id, why) -> "${at(event.group, id)}: $why" }
        val cause = (listOf(custody.addressed(event.cause)) + each).joinToString("; ")
        val out = state(event.group)?.out?.lastOrNull { it.slot == event.slot }?.deviceId
        return SpareExhausted(event.group, out?.let { at(event.group, it) }, event.slot, cause)
    }

    private fun at(group: String?, id: String): String = custody.address(group, id)

    private fun subject(group: String?): String = group ?: Occurrence.KERNEL

    private fun state(group: String): ArrayState? = custody.array(group)?.raid?.state?.value

    private fun slots(group: String): Int = state(group)?.slots?.size ?: 0

    private fun syncSize(group: String): Long = state(group)?.geometry?.syncSize() ?: 0
}
