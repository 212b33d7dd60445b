package dev.arraywright.kernel.event

import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.MemberStatus
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Clock

class StatusReporterSpec : StringSpec({
    val all = listOf(MemberStatus(0, "a", "in-sync"), MemberStatus(1, "b", "in-sync"))

    fun status(members: List<MemberStatus>, health: ArrayHealth, activity: Activity? = null) =
        ArrayStatus("vault", "", "raid1", 1000, 0, health, false, 1, members, activity)

    fun told(vararg states: ArrayStatus): List<Occurrence> {
        val stream = EventStream(Clock.System)
        val reporter = StatusReporter("vault", stream)
        states.forEach(reporter::report)
        return stream.events.replayCache.map { it.occurrence }
    }

    val healthy = status(all, ArrayHealth.OPTIMAL)

    fun rebuilding(done: Long) = status(
        listOf(all[0], MemberStatus(1, "c", "rebuilding")),
        ArrayHealth.DEGRADED,
        Activity("rebuild", done, 1000),
    )

    "a healthy array has nothing to say, and one that starts in trouble says so" {
        told(healthy, healthy) shouldBe emptyList()
        val missing = listOf(all[0], MemberStatus(1, null, "missing"))
        told(status(missing, ArrayHealth.DEGRADED)) shouldBe listOf(ArrayDegraded("vault", 1, 2))
        told(status(missing, ArrayHealth.FAILED)) shouldBe listOf(ArrayFailed("vault", 1, 2))
    }

    "a failure, and a rebuild with its tenths, are told once each" {
        val faulty = listOf(all[0], MemberStatus(1, "b", "faulty", "write error"), MemberStatus(null, "c", "spare"))
        told(
            status(all + MemberStatus(null, "c", "spare"), ArrayHealth.OPTIMAL),
            status(faulty, ArrayHealth.DEGRADED),
            rebuilding(0),
            rebuilding(50),
            rebuilding(120),
            rebuilding(190),
            rebuilding(555),
            status(listOf(all[0], MemberStatus(1, "c", "in-sync")), ArrayHealth.OPTIMAL),
        ) shouldBe listOf(
            DeviceFailed("vault", "b", 1, "write error"),
            ArrayDegraded("vault", 1, 2),
            RebuildStarted("vault", null, 1, "c", 1000),
            RebuildProgress("vault", null, 1, "c", 120, 1000, 12),
            RebuildProgress("vault", null, 1, "c", 555, 1000, 55),
            RebuildComplete("vault", null, 1, "c", 1000),
            ArrayRecovered("vault"),
        )
    }

    "a rebuild whose replacement fails ends so" {
        val failed = listOf(all[0], MemberStatus(1, "c", "faulty", "gone"))
        told(rebuilding(300), status(failed, ArrayHealth.DEGRADED)) shouldBe listOf(
            RebuildStarted("vault", null, 1, "c", 1000, 300),
            ArrayDegraded("vault", 1, 2),
            RebuildFailed("vault", null, 1, "c", 300, 1000, "gone"),
            DeviceFailed("vault", "c", 1, "gone"),
        )
    }

    "a rebuild of which only the end was seen has a beginning too" {
        val before = status(listOf(all[0], MemberStatus(1, null, "missing")), ArrayHealth.DEGRADED)
        told(before, healthy) shouldBe listOf(
            ArrayDegraded("vault", 1, 2),
            RebuildStarted("vault", null, 1, "b", 0),
            RebuildComplete("vault", null, 1, "b", 0),
            ArrayRecovered("vault"),
        )
    }

    "spares come and go, and members that are let go of" {
        val faulty = listOf(all[0], MemberStatus(1, "b", "faulty"))
        told(
            status(faulty, ArrayHealth.DEGRADED),
            status(listOf(all[0], MemberStatus(1, null, "missing")), ArrayHealth.DEGRADED),
        ).last() shouldBe DeviceRemoved("vault", "b", 1)
        val spare = status(all + MemberStatus(null, "s", "spare"), ArrayHealth.OPTIMAL)
        told(healthy, spare, healthy) shouldBe listOf(DeviceAdded("vault", "s"), DeviceRemoved("vault", "s"))
    }

    "a resync begins and completes, and does not complete where the array failed" {
        val resync = status(all, ArrayHealth.OPTIMAL, Activity("resync", 0, 1000))
        told(resync, healthy) shouldBe listOf(ArrayResyncStarted("vault", 1000), ArrayResyncComplete("vault", 1000))
        told(resync, status(all, ArrayHealth.FAILED)).last() shouldBe ArrayFailed("vault", 0, 2)
        told(resync, status(all, ArrayHealth.STOPPED)) shouldBe listOf(ArrayResyncStarted("vault", 1000))
    }
})
