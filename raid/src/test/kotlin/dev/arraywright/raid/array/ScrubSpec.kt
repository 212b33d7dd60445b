package dev.arraywright.raid.array

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.repair.ScrubStatus
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first

class ScrubSpec : StringSpec({
    suspend fun RaidArray.scrub(mode: ScrubMode): ScrubStatus {
        scrubs.start(mode)
        return scrubs.status.filterNotNull().first { it.phase.terminal }
    }

    "raid6: a check says where and who is wrong and changes nothing, a repair mends it" {
        Bench().run {
            val disks = disks(5)
            val array = arrays.create(CreateSpec("a", RaidLevel.RAID6, 16_384), disks.map { it.open() })
            array.settled()
            val data = random.nextBytes(array.size.toInt())
            array.put(0, data)
            array.flush()
            array.scrub(ScrubMode.CHECK).places.shouldBeEmpty()
            val stripe = 3L
            val slot = array.geometry.dataSlot(stripe, 1)
            disks[slot].scribble(MIB + stripe * 16_384 + 4096, random.nextBytes(1024))
            disks[array.geometry.q(7)].scribble(MIB + 7 * 16_384, random.nextBytes(512))
            repeat(2) {
                val checked = array.scrub(ScrubMode.CHECK)
                checked.phase shouldBe RebuildPhase.COMPLETE
                checked.mismatches shouldBe 2
                checked.repaired shouldBe 0
                checked.places[0].wrong shouldBe slot
                checked.places[0].offset shouldBe stripe * array.geometry.stripeBytes() + 16_384 + 4096
                checked.places[1].wrong shouldBe array.geometry.q(7)
            }
            array.scrub(ScrubMode.REPAIR).repaired shouldBe 2
            array.scrub(ScrubMode.CHECK).mismatches shouldBe 0
            array.get(0, data.size) shouldBe data
            array.stop()
        }
    }

    "raid5 and raid1: what cannot be told wrong is made to agree, as md does" {
        for (level in listOf(RaidLevel.RAID5, RaidLevel.RAID1)) {
            Bench().run {
                val disks = disks(if (level == RaidLevel.RAID5) 3 else 2)
                val array = arrays.create(CreateSpec("a", level, 4096), disks.map { it.open() })
                array.settled()
                disks[1].scribble(MIB + 8192, random.nextBytes(4096))
                val checked = array.scrub(ScrubMode.CHECK)
                checked.mismatches shouldBe 1
                checked.places[0].wrong shouldBe null
                array.scrub(ScrubMode.REPAIR).repaired shouldBe 1
                array.scrub(ScrubMode.CHECK).mismatches shouldBe 0
                array.stop()
            }
        }
    }

    "raid1 of three: the copy that the others contradict is the one that is mended" {
        Bench().run {
            val disks = disks(3)
            val array = arrays.create(CreateSpec("a", RaidLevel.RAID1), disks.map { it.open() })
            array.settled()
            val data = random.nextBytes(8192)
            array.put(0, data)
            array.flush()
            disks[0].scribble(MIB, random.nextBytes(512))
            array.scrub(ScrubMode.REPAIR).places[0].wrong shouldBe 0
            array.get(0, data.size) shouldBe data
            array.stop()
        }
    }

    "a medium error met by a scrub is counted and cured" {
        Bench().run {
            val disks = disks(3)
            val array = arrays.create(CreateSpec("a", RaidLevel.RAID5, 4096), disks.map { it.open() })
            array.settled()
            disks[2].spoil(MIB + 40_960, 4096)
            array.scrub(ScrubMode.CHECK).unreadable shouldBe 1
            disks[2].bad shouldBe 0
            array.stop()
        }
    }

    "a scrub is held, goes on, and ends on request; one at a time, and only of a whole array" {
        Bench().run {
            val disks = disks(3)
            val array = arrays.create(CreateSpec("a", RaidLevel.RAID5, 4096), disks.map { it.open() })
            array.settled()
            array.scrubs.start(ScrubMode.CHECK)
            shouldThrow<ArrayException.WrongState> { array.scrubs.start(ScrubMode.CHECK) }.why shouldContain "running"
            array.scrubs.pause()
            array.scrubs.status.value!!.phase shouldBe RebuildPhase.PAUSED
            array.scrubs.resume()
            array.scrubs.stop()
            array.scrubs.status.value!!.phase shouldBe RebuildPhase.CANCELLED
            shouldThrow<ArrayException.WrongState> { array.scrubs.stop() }.why shouldContain "none is running"
            array.fail("disk0")
            shouldThrow<ArrayException.WrongState> { array.scrubs.start(ScrubMode.CHECK) }.why shouldContain "missing"
            array.stop()
        }
    }
})
