package dev.arraywright.kernel.event

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.MemberStatus

/** Turns the states of one array into events: one for each thing that is different from the state before. */
internal class StatusReporter(private val array: String, private val events: EventStream) {
    private var last: ArrayStatus? = null

    fun report(now: ArrayStatus) {
        val before = last
        last = now
        val was = before?.members.orEmpty().associateBy { it.slot to it.address }
        for (member in now.members) member(was[member.slot to member.address], member, before == null)
        if (now.health != (before?.health ?: ArrayHealth.OPTIMAL)) health(now)
        activity(before, now)
    }

    private fun member(before: MemberStatus?, now: MemberStatus, first: Boolean) {
        if (before?.state == now.state || now.address == null) return
        val detail = now.detail?.let { ": $it" }.orEmpty()
        when (now.state) {
            "faulty" -> events.emit(Topic.DEVICE_FAILED, array, "${now.address} failed$detail")
            "rebuilding" -> events.emit(Topic.REBUILD_STARTED, array, "rebuilding slot ${now.slot} onto ${now.address}")
            "in-sync" -> if (before?.state == "rebuilding") {
                events.emit(Topic.REBUILD_COMPLETE, array, "slot ${now.slot} is in sync on ${now.address}")
            }
            "spare" -> if (!first) events.emit(Topic.DEVICE_ADDED, array, "${now.address} waits as a spare")
        }
    }

    private fun health(now: ArrayStatus) {
        when (now.health) {
            ArrayHealth.OPTIMAL -> events.emit(Topic.ARRAY_RECOVERED, array, "every member is in sync")
            ArrayHealth.DEGRADED -> events.emit(
                Topic.ARRAY_DEGRADED,
                array,
                "${now.members.count {
                    it.slot != null && it.state != "in-sync"
                }} members short",
            )
            ArrayHealth.FAILED -> events.emit(Topic.ARRAY_FAILED, array, "past its tolerance, writes are refused")
            ArrayHealth.STOPPED -> Unit
        }
    }

    private fun activity(before: ArrayStatus?, now: ArrayStatus) {
        val resync = now.activity?.kind == "resync"
        val was = before?.activity?.kind == "resync"
        if (resync && !was) events.emit(Topic.ARRAY_RESYNC_STARTED, array, "redundancy is made to agree with the data")
        if (was && !resync && now.health != ArrayHealth.STOPPED)
            events.emit(
                Topic.ARRAY_RESYNC_COMPLETE,
                array,
                "redundancy agrees with the data",
            )
    }
}
