package dev.arraywright.raid.spare

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.RebuildPhase
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.delay
import kotlin.time.Duration.Companion.minutes

/** What seeds of HotSpareSimulationSpec found: devices that a manager lost sight of, or could not let go. */
class LostSightOfSpec : StringSpec({
    "a spare that dies before its turn to be filled is told of, and the next is taken" {
        Household.tell {
            val array = array("six", RaidLevel.RAID6, 4)
            manager.policyChanged(slow)
            manager.start()
            for (id in listOf("a", "b", "c")) spare(id)
            unplug(array, "six-0")
            unplug(array, "six-1")
            event<GroupEvent.FailoverStarted> { it.slot == 1 && it.spare == "b" }
            unplug(array, "b")
            event<GroupEvent.SpareFailed> { it.device == "b" }
            healthy(array)
            events.filterIsInstance<GroupEvent.SpareFailed>() shouldHaveSize 1
        }
    }

    "a shared spare that dies as its rebuild is called off is told of" {
        Household.tell {
            val array = array("five", RaidLevel.RAID5, 3)
            manager.policyChanged(slow)
            manager.start()
            spare("a")
            unplug(array, "five-0")
            val rebuild = event<GroupEvent.Rebuild> { it.status.phase == RebuildPhase.RUNNING }.status
            disks.getValue("a").gone = true
            manager.cancelRebuild(rebuild.id)
            event<GroupEvent.SpareFailed> { it.device == "a" }
            closed shouldContain "a"
        }
    }

    "a device that was replaced and is said to be back is left alone" {
        Household.tell {
            val array = array("five", RaidLevel.RAID5, 3)
            manager.start()
            spare("a")
            manager.replace("five", "five-0")
            event<GroupEvent.MemberReplaced>()
            manager.deviceReturned("five-0")
            delay(5.minutes)
            array.state.value.slots[0].deviceId shouldBe "a"
        }
    }
})
