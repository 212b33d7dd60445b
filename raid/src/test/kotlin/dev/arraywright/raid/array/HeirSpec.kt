package dev.arraywright.raid.array

import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

/** Found by seeds 11785 and 13211 of HotSpareSimulationSpec. */
class HeirSpec : StringSpec({
    for (level in listOf(RaidLevel.RAID1, RaidLevel.RAID5)) {
        "who takes the place of a member of a $level that fails as it is to be replaced is filled to its end" {
            for (moment in 0..60) {
                withClue("after $moment reads") {
                    Bench().run {
                        val disks = disks(4)
                        val (members, spare) = disks.map { it.open() }.let { it.take(3) to it.drop(3) }
                        val array = arrays.create(CreateSpec("a", level, 4096, assumeClean = true), members, spare)
                        val bytes = random.nextBytes(array.size.toInt())
                        array.put(0, bytes)
                        repeat(moment) { array.get(0, 512) }
                        disks[0].failWrites = true
                        array.replace("disk0", "disk3")
                        array.settled()
                        array.state.value.slots[0].deviceId shouldBe "disk3"
                        array.fail("disk1")
                        if (level == RaidLevel.RAID1) array.fail("disk2")
                        array.get(0, bytes.size) shouldBe bytes
                        array.stop()
                    }
                }
            }
        }
    }
})
