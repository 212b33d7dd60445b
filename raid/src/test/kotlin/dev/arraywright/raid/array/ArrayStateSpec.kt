package dev.arraywright.raid.array

import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

private fun SlotState.withReplacement(progress: Progress) = copy(replacement = Replacement("new$slot", progress))

class ArrayStateSpec : StringSpec({
    val geometry = Geometry(RaidLevel.RAID5, Geometry.LEFT_SYMMETRIC, 3, 4096, 40_960)
    val progress = Progress(4096, 40_960)

    fun state(
        vararg members: MemberState,
        resync: Progress? = null,
        failure: String? = null,
        stopped: Boolean = false,
    ) =
        ArrayState(
            geometry,
            members.mapIndexed { i, member -> SlotState(i, "disk$i", member) },
            listOf("spare"),
            clean = true,
            resync = resync,
            failure = failure,
            stopped = stopped,
            events = 7,
            lastError = null,
        )

    val whole = arrayOf<MemberState>(MemberState.InSync, MemberState.InSync, MemberState.InSync)
    val all = Progress(40_960, 40_960)
    val rebuilding = MemberState.Rebuilding(progress)
    val states = mapOf(
        "healthy" to state(*whole),
        "resyncing" to state(*whole, resync = progress),
        "replacing" to state(*whole).let { it.copy(slots = it.slots.map { slot -> slot.withReplacement(progress) }) },
        "replaced" to state(*whole).let { it.copy(slots = it.slots.map { slot -> slot.withReplacement(all) }) },
        "degraded" to state(MemberState.Faulty("old"), MemberState.InSync, MemberState.InSync),
        "rebuilding" to state(rebuilding, MemberState.InSync, MemberState.InSync),
        "failed" to state(MemberState.Faulty("old"), MemberState.InSync, MemberState.InSync, failure = "past"),
        "stopped" to state(*whole, stopped = true),
    )
    val events = mapOf(
        "write began" to ArrayEvent.WriteBegan,
        "went idle" to ArrayEvent.WentIdle,
        "recorded" to ArrayEvent.Recorded(8),
        "slot 0 failed" to ArrayEvent.MemberFailed(0, "cause", readable = true),
        "slot 1 failed" to ArrayEvent.MemberFailed(1, "cause", readable = true),
        "slot 1 gone" to ArrayEvent.MemberFailed(1, "cause", readable = false),
        "disk 0 released" to ArrayEvent.DeviceReleased("disk0"),
        "spare added" to ArrayEvent.SpareAdded("new"),
        "spare gone" to ArrayEvent.SpareGone("spare"),
        "rebuild started" to ArrayEvent.RebuildStarted(0, "spare", 0),
        "rebuild advanced" to ArrayEvent.RebuildAdvanced(0, 8192),
        "rebuild finished" to ArrayEvent.RebuildFinished(0),
        "rebuild ended" to ArrayEvent.RebuildEnded(0, null),
        "replacement started" to ArrayEvent.ReplacementStarted(1, "spare", 0),
        "replacement advanced" to ArrayEvent.ReplacementAdvanced(1, 8192),
        "replacement ended" to ArrayEvent.ReplacementEnded(1, "cause", spareAtFault = true),
        "replacement finished" to ArrayEvent.ReplacementFinished(1, "cause"),
        "resync advanced" to ArrayEvent.ResyncAdvanced(8192),
        "resync finished" to ArrayEvent.ResyncFinished,
        "error seen" to ArrayEvent.ErrorSeen("text"),
        "stop" to ArrayEvent.Stop,
    )

    fun phase(state: ArrayState) = state.phase.let { phase ->
        when (phase) {
            ArrayPhase.Healthy -> when (state.slots[1].replacement?.whole) {
                null -> "healthy"
                false -> "replacing"
                true -> "replaced"
            }
            is ArrayPhase.Degraded -> "degraded"
            is ArrayPhase.Resyncing -> "resyncing"
            is ArrayPhase.Rebuilding -> "rebuilding"
            is ArrayPhase.Failed -> "failed"
            ArrayPhase.Stopped -> "stopped"
        }
    }

    /** Where an event leads to another phase; everywhere else it leads to none. */
    val leads = mapOf(
        ("healthy" to "slot 0 failed") to "degraded",
        ("healthy" to "slot 1 failed") to "degraded",
        ("healthy" to "slot 1 gone") to "degraded",
        ("healthy" to "replacement started") to "replacing",
        ("replacing" to "replacement ended") to "healthy",
        ("replacing" to "replacement finished") to "healthy",
        ("replacing" to "slot 0 failed") to "rebuilding",
        ("replacing" to "slot 1 failed") to "rebuilding",
        ("replacing" to "slot 1 gone") to "rebuilding",
        ("replaced" to "replacement advanced") to "replacing",
        ("replaced" to "replacement ended") to "healthy",
        ("replaced" to "replacement finished") to "healthy",
        ("replaced" to "slot 1 failed") to "healthy",
        ("replaced" to "slot 1 gone") to "healthy",
        ("resyncing" to "resync finished") to "healthy",
        ("degraded" to "slot 1 failed") to "failed",
        ("degraded" to "slot 1 gone") to "failed",
        ("degraded" to "rebuild started") to "rebuilding",
        ("rebuilding" to "slot 0 failed") to "degraded",
        ("rebuilding" to "slot 1 failed") to "failed",
        ("rebuilding" to "slot 1 gone") to "failed",
        ("rebuilding" to "rebuild finished") to "healthy",
        ("rebuilding" to "rebuild ended") to "degraded",
    )

    "every event in every state leads where the table says" {
        for ((name, state) in states) {
            for ((event, it) in events) {
                val expected = if (event == "stop") "stopped" else leads[name to event] ?: name
                "$name, $event: ${phase(state.on(it))}" shouldBe "$name, $event: $expected"
            }
        }
    }

    "a stopped array does not change at all, and a failed one neither records nor rebuilds" {
        for (event in events.values) states.getValue("stopped").on(event) shouldBe states.getValue("stopped")
        val failed = states.getValue("failed")
        val inert = events.filterKeys { !it.startsWith("slot 1") && it != "error seen" && it != "stop" }
        for (event in inert.values) failed.on(event) shouldBe failed
    }

    "the member that takes an array past its tolerance stays readable unless it is gone" {
        val degraded = states.getValue("degraded")
        degraded.on(ArrayEvent.MemberFailed(1, "cause", readable = true)).slots[1].member shouldBe MemberState.InSync
        degraded.on(
            ArrayEvent.MemberFailed(1, "cause", readable = false),
        ).slots[1].member shouldBe MemberState.Faulty("cause")
    }

    "clean, events, progress and spares follow their events" {
        val healthy = states.getValue("healthy")
        healthy.on(ArrayEvent.WriteBegan).clean shouldBe false
        healthy.on(ArrayEvent.WriteBegan).on(ArrayEvent.WentIdle).clean shouldBe true
        healthy.on(ArrayEvent.Recorded(9)).events shouldBe 9
        healthy.on(ArrayEvent.SpareAdded("new")).spares shouldBe listOf("spare", "new")
        healthy.on(ArrayEvent.SpareGone("spare")).spares shouldBe emptyList()
        states.getValue("resyncing").on(ArrayEvent.ResyncAdvanced(8192)).resync shouldBe Progress(8192, 40_960)
        val rebuilt = states.getValue("degraded").on(ArrayEvent.RebuildStarted(0, "spare", 0))
        rebuilt.spares shouldBe emptyList()
        rebuilt.slots[0] shouldBe SlotState(0, "spare", MemberState.Rebuilding(Progress(0, 40_960)))
        rebuilt.on(
            ArrayEvent.RebuildAdvanced(0, 8192),
        ).slots[0].member shouldBe MemberState.Rebuilding(Progress(8192, 40_960))
        states.getValue(
            "degraded",
        ).on(ArrayEvent.DeviceReleased("disk0")).slots[0] shouldBe SlotState(0, null, MemberState.Missing)
    }

    "who leaves a slot is out until it is let go or comes back" {
        val failed = states.getValue("healthy").on(ArrayEvent.MemberFailed(1, "cause", readable = false))
        failed.out shouldBe listOf(OutDevice("disk1", 1, OutDevice.Kind.FAILED, "cause"))
        failed.on(ArrayEvent.DeviceReleased("disk1")).out shouldBe emptyList()
        val back = failed.on(ArrayEvent.RebuildStarted(1, "disk1", 0, byBitmap = true))
        back.out shouldBe emptyList()
        back.slots[1].member shouldBe MemberState.Rebuilding(Progress(0, 40_960), byBitmap = true)
        val swapped = states.getValue("replaced").on(ArrayEvent.ReplacementFinished(1, "worn"))
        swapped.slots[1] shouldBe SlotState(1, "new1", MemberState.InSync)
        swapped.out shouldBe listOf(OutDevice("disk1", 1, OutDevice.Kind.REPLACED, "worn"))
        val worn = states.getValue("replacing").on(ArrayEvent.ReplacementEnded(1, "dead", spareAtFault = true))
        worn.out shouldBe listOf(OutDevice("new1", 1, OutDevice.Kind.FAILED, "dead"))
        val calledOff = states.getValue("replacing").on(ArrayEvent.ReplacementEnded(1, null, spareAtFault = false))
        calledOff.spares shouldBe listOf("spare", "new1")
    }

    "one that is filled takes over when the member beside it fails" {
        val heir = states.getValue("replacing").on(ArrayEvent.MemberFailed(1, "cause", readable = true))
        heir.slots[1] shouldBe SlotState(1, "new1", MemberState.Rebuilding(progress))
        heir.failure shouldBe null
    }
})
