package dev.arraywright.kernel.event

import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.MemberStatus

/**
 * Turns the states of one array into events: one for each thing that is different from the state before. The first state
 * is compared with that of a healthy array, so that an array which starts in trouble says so.
 */
internal class StatusReporter(private val array: String, private val events: EventStream) {
    private var last: ArrayStatus? = null
    private var told = 0

    fun report(now: ArrayStatus) {
        if (now.health == ArrayHealth.STOPPED) return
        val before = last
        last = now
        val was = before?.members.orEmpty().associateBy { it.slot to it.address }
        for (member in now.members) member(was[member.slot to member.address], member, before, now)
        removed(before?.members.orEmpty(), now.members)
        if (now.health != (before?.health ?: ArrayHealth.OPTIMAL)) health(now)
        resync(before, now)
    }

    private fun member(was: MemberStatus?, member: MemberStatus, before: ArrayStatus?, now: ArrayStatus) {
        val address = member.address ?: return
        val slot = member.slot
        val rebuilt = was?.state == "rebuilding"
        when (member.state) {
            "faulty" -> if (was?.state != "faulty") {
                if (rebuilt && slot != null) rebuildFailed(slot, address, member.detail, before?.activity)
                events.emit(DeviceFailed(array, address, slot, member.detail))
            }
            "rebuilding" -> if (slot != null) rebuilding(slot, address, rebuilt, now.activity)
            // States are conflated: of a short rebuild only the end may be seen.
            "in-sync" -> if (slot != null && before != null && (rebuilt || was == null)) {
                val total = before.activity?.total ?: 0
                if (!rebuilt) events.emit(RebuildStarted(array, null, slot, address, total))
                events.emit(RebuildComplete(array, null, slot, address, total))
            }
            "spare" -> if (was == null && before != null) events.emit(DeviceAdded(array, address))
        }
    }

    /** A member that another one replaced is in no slot, and still there: it is not removed. */
    private fun removed(before: List<MemberStatus>, now: List<MemberStatus>) {
        val here = now.map { it.address }
        val empty = now.filter { it.state == "missing" }.map { it.slot }
        for (member in before) {
            val address = member.address?.takeIf { it !in here } ?: continue
            if (member.slot == null || member.slot in empty) events.emit(DeviceRemoved(array, address, member.slot))
        }
    }

    /** Progress is told at every tenth. An array rebuilds one member at a time, which its activity is about. */
    private fun rebuilding(slot: Int, address: String, already: Boolean, activity: Activity?) {
        val rebuild = activity?.takeIf { it.kind == "rebuild" } ?: Activity("rebuild", 0, 0)
        val tenth = if (rebuild.total == 0L) 0 else percentOf(rebuild.done, rebuild.total) / TENTH
        when {
            !already -> events.emit(RebuildStarted(array, null, slot, address, rebuild.total, rebuild.done))
            tenth > told -> events.emit(RebuildProgress(array, null, slot, address, rebuild.done, rebuild.total))
        }
        told = if (already) maxOf(told, tenth) else tenth
    }

    private fun rebuildFailed(slot: Int, address: String, cause: String?, activity: Activity?) {
        events.emit(RebuildFailed(array, null, slot, address, activity?.done ?: 0, activity?.total ?: 0, cause))
    }

    private fun health(now: ArrayStatus) {
        val places = now.members.filter { it.slot != null }
        val missing = places.count { it.state != "in-sync" }
        when (now.health) {
            ArrayHealth.OPTIMAL -> events.emit(ArrayRecovered(array))
            ArrayHealth.DEGRADED -> events.emit(ArrayDegraded(array, missing, places.size))
            ArrayHealth.FAILED -> {
                val cause = places.firstNotNullOfOrNull { it.detail }
                events.emit(ArrayFailed(array, missing, places.size, cause))
            }
            ArrayHealth.STOPPED -> error("a stopped array is not reported")
        }
    }

    private fun resync(before: ArrayStatus?, now: ArrayStatus) {
        val resync = now.activity?.takeIf { it.kind == "resync" }
        val was = before?.activity?.takeIf { it.kind == "resync" }
        if (resync != null && was == null) events.emit(ArrayResyncStarted(array, resync.total, resync.done))
        if (was != null && resync == null && now.health in COMPLETES) events.emit(ArrayResyncComplete(array, was.total))
    }

    private companion object {
        const val TENTH = 10

        /** An array that failed or stopped in its resync did not complete it. */
        val COMPLETES = setOf(ArrayHealth.OPTIMAL, ArrayHealth.DEGRADED)
    }
}
