package dev.arraywright.raid.spare

import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.RebuildKind
import dev.arraywright.raid.repair.RebuildPhase
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class HotSpareManagerSpec : StringSpec({
    fun GroupEvent.name() = this::class.simpleName

    "a shared spare takes the place of a member that is gone" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3)
            manager.start()
            spare("spare")
            manager.spares.value.single().verdicts.getValue("home").eligible shouldBe true
            unplug(array, "home-1")
            event<GroupEvent.Recovered>()
            array.state.value.slots[1].deviceId shouldBe "spare"
            manager.spareCount shouldBe 0
            manager.activeRebuilds.value.shouldBeEmpty()
            val told = events.filter { it !is GroupEvent.Rebuild }.map { it.name() }
            told shouldBe listOf("SpareAdded", "MemberFailed", "Degraded", "FailoverStarted", "Recovered")
            val phases = events.filterIsInstance<GroupEvent.Rebuild>().map { it.status.phase }
            phases.first() shouldBe RebuildPhase.WAITING
            phases.last() shouldBe RebuildPhase.COMPLETE
            // Not before what it comes of.
            events.last().name() shouldBe "Recovered"
            array.stop()
        }
    }

    "its own spares come first, and without monitoring nothing is done" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3, spares = 1)
            spare("spare")
            unplug(array, "home-1")
            delay(5.minutes)
            array.state.value.phase shouldBe ArrayPhase.Degraded(1)
            manager.start()
            event<GroupEvent.Recovered>()
            array.state.value.slots[1].deviceId shouldBe "home-spare0"
            array.stop()
        }
    }

    "a spare that dies while it is filled makes place for the next" {
        Household.tell {
            manager.policyChanged(slow)
            val array = array("home", RaidLevel.RAID5, 3, spares = 1)
            manager.start()
            spare("spare")
            unplug(array, "home-1")
            event<GroupEvent.Rebuild> { it.status.progress.fraction > 0.2 }
            disks.getValue("home-spare0").gone = true
            event<GroupEvent.SpareFailed>().device shouldBe "home-spare0"
            event<GroupEvent.Recovered>()
            array.state.value.slots[1].deviceId shouldBe "spare"
            ended("home") shouldBe listOf(RebuildPhase.FAILED, RebuildPhase.COMPLETE)
            array.stop()
        }
    }

    "with no spare left that is told once, and again when there is another that does not fit" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3)
            manager.start()
            unplug(array, "home-1")
            event<GroupEvent.SparesExhausted>().why shouldBe emptyMap()
            delay(10.minutes)
            spare("small", 1100L shl 10)
            event<GroupEvent.SparesExhausted> { it.why.isNotEmpty() }.why.getValue("small") shouldContain "needs"
            delay(10.minutes)
            events.count { it is GroupEvent.SparesExhausted } shouldBe 2
            spare("large")
            event<GroupEvent.Recovered>()
            array.state.value.slots[1].deviceId shouldBe "large"
            array.stop()
        }
    }

    "a member that comes back before a spare was there is re-added by the bitmap alone" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3, bitmap = 4096)
            manager.start()
            unplug(array, "home-1")
            event<GroupEvent.SparesExhausted>()
            disks.getValue("home-1").recover()
            event<GroupEvent.MemberReadded>() shouldBe GroupEvent.MemberReadded("home", 1, "home-1", true)
            event<GroupEvent.Recovered>()
            event<GroupEvent.Rebuild> {
                it.status.phase == RebuildPhase.COMPLETE
            }.status.kind shouldBe RebuildKind.READD
            array.stop()
        }
    }

    "a member that comes back after it was replaced is reported, once" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3, spares = 1, bitmap = 4096)
            manager.start()
            unplug(array, "home-1")
            event<GroupEvent.Recovered>()
            disks.getValue("home-1").recover()
            event<GroupEvent.MemberReturned>().why shouldBe "slot 1 has home-spare0 by now"
            delay(10.minutes)
            events.count { it is GroupEvent.MemberReturned } shouldBe 1
            closed shouldBe listOf("home-1")
            array.state.value.slots[1].deviceId shouldBe "home-spare0"
            array.stop()
        }
    }

    "a member that somebody failed is not taken back until somebody says that it returned" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3, bitmap = 4096)
            manager.start()
            touch(array)
            array.fail("home-2")
            delay(10.minutes)
            array.state.value.phase shouldBe ArrayPhase.Degraded(1)
            manager.deviceReturned("home-2")
            event<GroupEvent.Recovered>(5.seconds)
            array.stop()
        }
    }

    "a member predicted to fail is copied and swapped, and redundancy never drops" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3)
            manager.start()
            spare("spare")
            sick["home-0"] = "reallocated sectors"
            event<GroupEvent.MemberReplaced>() shouldBe
                GroupEvent.MemberReplaced("home", 0, "home-0", "spare", "reallocated sectors")
            event<GroupEvent.HealthWarning>().device shouldBe "home-0"
            events.filterIsInstance<GroupEvent.Degraded>().shouldBeEmpty()
            array.state.value.slots.map { it.member }.distinct() shouldBe listOf(MemberState.InSync)
            array.stop()
        }
    }

    "too many failed reads fail a member, or have it replaced where the array cannot do without" {
        Household.tell {
            val array = array("home", RaidLevel.RAID1, 2)
            manager.start()
            manager.policyChanged(HotSparePolicy(readErrorLimit = 2))

            suspend fun strain(id: String) {
                repeat(12) { turn ->
                    disks.getValue(id).spoil((1L shl 20) + turn * 4096, 4096)
                    // Without the other copy the read fails, which is not what this is about.
                    repeat(2) { runCatching { array.read(ByteBuffer.allocate(4096), turn * 4096L) } }
                }
            }
            strain("home-0")
            event<GroupEvent.MemberFailed>().cause shouldBe "more than 2 reads failed within 10m"
            strain("home-1")
            event<GroupEvent.HealthWarning>().device shouldBe "home-1"
            array.state.value.slots[1].member shouldBe MemberState.InSync
            array.stop()
        }
    }

    "a rebuild that is cancelled begins again only when forced or when another spare comes, its spare is anybody's" {
        Household.tell {
            manager.policyChanged(slow)
            val array = array("home", RaidLevel.RAID5, 3)
            manager.start()
            spare("spare")
            unplug(array, "home-1")

            suspend fun cancel() {
                val rebuild = manager.activeRebuilds.first { all ->
                    all.any { it.phase == RebuildPhase.RUNNING }
                }.single()
                manager.cancelRebuild(rebuild.id)
                manager.activeRebuilds.first { it.isEmpty() }
                delay(10.minutes)
                manager.activeRebuilds.value.shouldBeEmpty()
                array.state.value.slots[1].member shouldBe MemberState.Missing
                manager.spares.value.first { it.id == "spare" }.dedicatedTo shouldBe null
            }
            cancel()
            manager.forceRebuild("home", "home-1")
            cancel()
            spare("other")
            event<GroupEvent.Recovered>()
            ended("home") shouldBe listOf(RebuildPhase.CANCELLED, RebuildPhase.CANCELLED, RebuildPhase.COMPLETE)
            array.stop()
        }
    }
})
