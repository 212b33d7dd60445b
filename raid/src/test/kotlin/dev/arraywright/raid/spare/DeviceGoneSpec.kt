package dev.arraywright.raid.spare

import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.first

/** Devices that somebody saw go, while the arrays that use them were idle. */
class DeviceGoneSpec : StringSpec({
    "an idle array fails over as soon as its member is known to be gone, and takes it back when it returns" {
        Household.tell {
            val array = array("five", RaidLevel.RAID5, 3, bitmap = 4096)
            manager.start()
            disks.getValue("five-1").gone = true
            manager.deviceGone("five-1", "unplugged")
            event<GroupEvent.MemberFailed> { it.device == "five-1" }.cause shouldContain "unplugged"
            disks.getValue("five-1").gone = false
            manager.deviceReturned("five-1")
            event<GroupEvent.MemberReadded> { it.device == "five-1" }.byBitmap shouldBe true
            healthy(array)
        }
    }

    "a spare that is waiting takes the place, and a spare that is gone is no spare any more" {
        Household.tell {
            val array = array("five", RaidLevel.RAID5, 3, spares = 1)
            manager.start()
            spare("a")
            spare("b")
            for (id in listOf("b", "five-spare0")) {
                disks.getValue(id).gone = true
                manager.deviceGone(id, "unplugged")
                event<GroupEvent.SpareFailed> { it.device == id }.cause shouldContain "unplugged"
            }
            array.state.value.spares.shouldBeEmpty()
            closed shouldContain "b"
            disks.getValue("five-2").gone = true
            manager.deviceGone("five-2", "unplugged")
            event<GroupEvent.FailoverStarted> { it.spare == "a" && it.slot == 2 }
            healthy(array)
        }
    }

    "past its tolerance the array fails, and a device that nobody uses changes nothing" {
        Household.tell {
            val array = array("five", RaidLevel.RAID5, 3)
            manager.start()
            val before = array.state.value
            manager.deviceGone("stranger", "unplugged")
            array.state.value shouldBe before
            manager.deviceGone("five-0", "unplugged")
            manager.deviceGone("five-1", "unplugged")
            array.state.first { it.phase is ArrayPhase.Failed }
            event<GroupEvent.Failed>()
        }
    }
})
