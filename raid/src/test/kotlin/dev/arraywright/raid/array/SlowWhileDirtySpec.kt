package dev.arraywright.raid.array

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.pace.PaceLimits
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe

/** Found by seed 4231 of HotSpareSimulationSpec. */
class SlowWhileDirtySpec : StringSpec({
    "a write beside a slow member, where parity was never made, is read back once that member answers again" {
        Bench().run {
            val disks = disks(6)
            for (disk in disks) disk.fill(MIB, random)
            val array = arrays.create(CreateSpec("six", RaidLevel.RAID6, 4096), disks.map { it.open() })
            array.paceLimits = PaceLimits(floor = 1, ceiling = 1)
            val stripe = array.geometry.stripes() - 1
            val (slow, missing) = listOf(0, 1).map { array.geometry.dataSlot(stripe, it) }
            array.fail(array.state.value.slots[missing].deviceId!!)
            disks[slow].hangReads = 1
            val offset = stripe * array.geometry.stripeBytes() + 6000
            val bytes = random.nextBytes(4000)
            array.put(offset, bytes)
            disks[slow].hangReads shouldBe 0
            array.state.value.resync shouldNotBe null
            // So that it counts as prompt again, and is read from.
            array.flush()
            repeat(2) { array.get(offset, bytes.size) shouldBe bytes }
            array.stop()
        }
    }
})
