package dev.arraywright.raid.spare

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.ScrubMode
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Policy, spares, scrubs, and what is refused. */
class LookingAfterSpec : StringSpec({
    "a policy counts for what runs: rebuilds wait for their turn, go faster, and pause" {
        Household.tell {
            manager.policyChanged(slow)
            val arrays = List(2) { array("home$it", RaidLevel.RAID5, 3, spares = 1) }
            manager.start()
            for ((i, array) in arrays.withIndex()) unplug(array, "home$i-1")
            val both = manager.activeRebuilds.first {
                it.size == 2 && it.any { one -> one.phase == RebuildPhase.RUNNING }
            }
            both.map { it.phase }.toSet() shouldBe setOf(RebuildPhase.RUNNING, RebuildPhase.WAITING)
            manager.policyChanged(slow.copy(maxConcurrentRebuilds = 2))
            val running = manager.activeRebuilds.first { all -> all.count { it.phase == RebuildPhase.RUNNING } == 2 }
            manager.pauseRebuild(running[0].id)
            delay(10.minutes)
            manager.activeRebuilds.value.single().phase shouldBe RebuildPhase.PAUSED
            val began = dispatcher.now
            manager.policyChanged(HotSparePolicy())
            manager.resumeRebuild(running[0].id)
            arrays.forEach { healthy(it) }
            (dispatcher.now - began < 3_000_000_000) shouldBe true
            arrays.forEach { it.stop() }
        }
    }

    "a waiting rebuild that is cancelled ends at once" {
        Household.tell {
            manager.policyChanged(slow)
            val arrays = List(2) { array("home$it", RaidLevel.RAID5, 3, spares = 1) }
            manager.start()
            for ((i, array) in arrays.withIndex()) unplug(array, "home$i-1")
            val waiting = manager.activeRebuilds.first {
                it.size == 2 && it.any { one -> one.phase == RebuildPhase.RUNNING }
            }
                .single { it.phase == RebuildPhase.WAITING }
            manager.cancelRebuild(waiting.id)
            event<GroupEvent.Rebuild>(1.seconds) {
                it.status.phase == RebuildPhase.CANCELLED
            }.status.id shouldBe waiting.id
            arrays.forEach { it.stop() }
        }
    }

    "of two arrays that wait for a spare the more endangered gets it" {
        Household.tell {
            manager.policyChanged(slow)
            val calm = array("a-calm", RaidLevel.RAID6, 4)
            val urgent = array("urgent", RaidLevel.RAID5, 3)
            manager.start()
            unplug(calm, "a-calm-1")
            unplug(urgent, "urgent-1")
            event<GroupEvent.SparesExhausted> { it.group == "a-calm" }
            event<GroupEvent.SparesExhausted> { it.group == "urgent" }
            spare("only")
            event<GroupEvent.FailoverStarted>().group shouldBe "urgent"
            healthy(urgent)
            calm.state.value.phase shouldBe ArrayPhase.Degraded(1)
            calm.stop()
            urgent.stop()
        }
    }

    "what cannot be done is refused with the reason, and nothing changes" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3)
            manager.start()
            manager.policyChanged(HotSparePolicy(autoFailover = false))
            spare("small", 1100L shl 10)
            spare("spare")

            suspend fun refused(action: suspend () -> Unit): String {
                val before = array.state.value to manager.spares.value
                val refusal = shouldThrow<ArrayException> { action() }
                (array.state.value to manager.spares.value) shouldBe before
                return refusal.why
            }
            refused { spare("spare") } shouldBe "it is a spare already"
            val member = disks.getValue("home-0").open()
            refused { manager.registerSpare(SpareDevice(member)) } shouldBe "it is in use by the group home"
            refused { manager.forceRebuild("home", "home-0") } shouldBe "it is a healthy member of home"
            refused { manager.forceRebuild("away", "home-0") } shouldContain "no group"
            refused { manager.forceRebuild("home", "nobody") } shouldBe "it was no member of home"
            refused { manager.replace("home", "spare") } shouldBe "it is no member of home"
            refused { manager.pauseRebuild("none") } shouldContain "none of that id"
            refused { manager.unregisterSpare("home-0") } shouldBe "it is in use by the group home"
            refused { manager.unregisterSpare("nobody") } shouldBe "it is no shared spare"
            refused { manager.register(DeviceGroup("home", array)) } shouldContain "name"
            array.fail("home-1")
            refused { manager.forceRebuild("home", "home-1", "small") } shouldContain "it has 1126400 bytes"
            refused { manager.forceRebuild("home", "home-1", "home-2") } shouldContain "in use by the group home"
            refused { manager.forceRebuild("home", 0, "spare") } shouldContain "healthy member"
            disks.getValue("dead".also { disk(it) }).gone = true
            shouldThrow<ArrayException.DeviceFailed> {
                manager.registerSpare(SpareDevice(disks.getValue("dead").open()))
            }
            manager.spareCount shouldBe 2
            manager.forceRebuild("home", "home-1")
            healthy(array)
            manager.unregisterSpare("small").info().id() shouldBe "small"
            array.stop()
        }
    }

    "a spare that died is news before it is needed" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3, spares = 1)
            manager.start()
            manager.policyChanged(HotSparePolicy(spareCheckInterval = 30.minutes))
            spare("spare")
            delay(2.minutes)
            manager.spares.value.map { it.health }.forEach { it.shouldBeInstanceOf<SpareHealth.Good>() }
            disks.getValue("spare").gone = true
            disks.getValue("home-spare0").gone = true
            event<GroupEvent.SpareFailed>(31.minutes) { it.device == "spare" }.group shouldBe null
            event<GroupEvent.SpareFailed>(31.minutes) { it.device == "home-spare0" }.group shouldBe "home"
            manager.spareCount shouldBe 0
            closed.toSet() shouldBe setOf("spare", "home-spare0")
            array.state.value.spares.shouldBeEmpty()
            array.stop()
        }
    }

    "scrubs come by the policy, wait while the array is not whole, and go on after a restart" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3)
            manager.policyChanged(slow.copy(scrubInterval = 20.minutes))
            manager.start()
            val first = event<GroupEvent.Scrub>(21.minutes).status
            first.mode shouldBe ScrubMode.CHECK
            event<GroupEvent.Scrub> { it.status.progress.fraction > 0.3 }
            manager.stop()
            array.scrubs.stop()
            saved[array.uuid] = ScrubMark(128 * 1024, ScrubMode.REPAIR, dispatcher.clock.now() - 1.hours)
            events.clear()
            manager.unregister("home")
            manager.register(DeviceGroup("home", array))
            manager.start()
            val second = event<GroupEvent.Scrub>().status
            (second.mode to second.progress.done) shouldBe (ScrubMode.REPAIR to 128L * 1024)
            unplug(array, "home-1")
            event<GroupEvent.Scrub> { it.status.phase == RebuildPhase.PAUSED }
            spare("spare")
            event<GroupEvent.Scrub> { it.status.phase == RebuildPhase.COMPLETE }
            saved.getValue(array.uuid).position shouldBe 0
            array.stop()
        }
    }

    "what is not healthy is told again at each start, and an array that is let go looks after itself" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3)
            unplug(array, "home-1")
            repeat(2) {
                manager.start()
                event<GroupEvent.Degraded>().missing shouldBe 1
                manager.stop()
                events.clear()
            }
            manager.unregister("home")
            array.autoFailover shouldBe true
            array.add(disk("new").open())
            healthy(array)
            events.shouldBeEmpty()
            array.stop()
        }
    }

    "trouble with the surroundings is told, and what they are not needed for goes on" {
        Household.tell {
            val array = array("home", RaidLevel.RAID5, 3, spares = 1)
            manager.start()
            disks.remove("home-1")?.gone = true
            touch(array)
            event<GroupEvent.Recovered>()
            event<GroupEvent.SupervisorTrouble>().group shouldBe "home"
            delay(30.minutes)
            events.last().shouldBeInstanceOf<GroupEvent.SupervisorTrouble>()
            array.stop()
        }
    }
})
