package dev.arraywright.raid.array

import dev.arraywright.raid.array.LeftOut.Reason
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.simulation.SimulatedDisk
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import kotlin.random.Random

class AssemblySpec : StringSpec({
    suspend fun Bench.made(level: RaidLevel, disks: List<SimulatedDisk>, name: String = "home") {
        val array = arrays.create(CreateSpec(name, level, 4096, assumeClean = true), disks.map { it.open() })
        array.put(0, ByteArray(20_000) { it.toByte() })
        array.stop()
    }

    fun reasons(report: AssemblyReport) = report.leftOut.associate { it.deviceId to it.reason }

    "garbage, foreign, duplicate, unreadable and stale devices are left out by name" {
        Bench().run {
            val disks = disks(5)
            made(RaidLevel.RAID6, disks)
            val foreign = disks(2, "foreign").also { made(RaidLevel.RAID1, it, "other") }
            val garbage = disks(1, "garbage").onEach { it.fill(0, Random(3)) }
            val gone = disks(1, "gone").onEach { it.gone = true }
            val array = arrays.assemble(disks.drop(1).map { it.open() })
            array.report.missing shouldBe listOf(0)
            array.stop()
            val twice = disks[1].open()
            val again = arrays.assemble((disks + foreign + garbage + gone).map { it.open() } + twice)
            reasons(again.report) shouldBe mapOf(
                "disk0" to Reason.STALE,
                "disk1" to Reason.DUPLICATE,
                "foreign0" to Reason.FOREIGN,
                "foreign1" to Reason.FOREIGN,
                "garbage0" to Reason.GARBAGE,
                "gone0" to Reason.UNREADABLE,
            )
            again.state.value.phase shouldBe ArrayPhase.Degraded(1)
            again.get(0, 20_000).contentEquals(ByteArray(20_000) { it.toByte() }) shouldBe true
            again.stop()
        }
    }

    "a copy of a member is recognised as the same member" {
        Bench().run {
            val disks = disks(3)
            made(RaidLevel.RAID5, disks)
            val copy = disks(1, "copy")[0]
            val size = copy.open().info().size().toInt()
            copy.open().write(ByteBuffer.wrap(disks[1].peek(0, size)), 0)
            arrays.state(copy)
            val plan = arrays.plan((disks + copy).map { it.open() })
            plan.report.leftOut.single().reason shouldBe Reason.DUPLICATE
            plan.obstacle shouldBe null
        }
    }

    "too few members is refused, and the plan says so beforehand" {
        Bench().run {
            val disks = disks(4)
            made(RaidLevel.RAID5, disks)
            val few = disks.take(2).map { it.open() }
            arrays.plan(few).obstacle?.why.orEmpty() shouldContain "2 are missing"
            shouldThrow<ArrayException.NotEnoughMembers> { arrays.assemble(few) }
            shouldThrow<ArrayException.NotEnoughMembers> { arrays.assemble(disks(2, "blank").map { it.open() }) }
        }
    }

    "several arrays are told apart by uuid, and nothing is guessed" {
        Bench().run {
            val one = disks(2, "one").also { made(RaidLevel.RAID1, it, "one") }
            val two = disks(2, "two").also { made(RaidLevel.RAID1, it, "two") }
            val all = (one + two).map { it.open() }
            shouldThrow<ArrayException.BadGeometry> { arrays.assemble(all) }.message.orEmpty() shouldContain "two"
            val uuid = arrays.examine(all[2]).setUuid()
            val array = arrays.assemble(all, uuid = uuid)
            array.name shouldBe "two"
            array.stop()
        }
    }

    "dirty and degraded is refused without force for parity, not for mirrors" {
        for ((level, refused) in listOf(
            RaidLevel.RAID5 to true,
            RaidLevel.RAID6 to true,
            RaidLevel.RAID1 to false,
            RaidLevel.RAID10 to false,
        )) {
            Bench().run {
                val disks = disks(4)
                val array = arrays.create(CreateSpec("home", level, 4096, assumeClean = true), disks.map { it.open() })
                array.put(0, ByteArray(5000))
                disks.forEach { it.powerCut(random) }
                val rest = disks.drop(1).map { it.open() }
                val obstacle = arrays.plan(rest).obstacle
                (obstacle is ArrayException.DirtyAndDegraded) shouldBe refused
                arrays.assemble(rest, force = true).stop()
            }
        }
    }

    "what was created in use is refused, until forced" {
        Bench().run {
            val disks = disks(2)
            made(RaidLevel.RAID1, disks)
            val spec = CreateSpec("new", RaidLevel.RAID1)
            shouldThrow<ArrayException.InUse> {
                arrays.create(spec, disks.map { it.open() })
            }.message.orEmpty() shouldContain "home"
            val ext4 = disks(2, "ext4")
            ext4[0].open().write(ByteBuffer.allocate(512).put(0x38, 0x53).put(0x39, 0xef.toByte()), 1024)
            arrays.state(ext4[0])
            shouldThrow<ArrayException.InUse> { arrays.create(spec, ext4.map { it.open() }) }.why shouldContain "ext4"
            arrays.create(spec.copy(force = true), disks.map { it.open() }).stop()
        }
    }

    "what cannot be made is refused with the reason" {
        Bench().run {
            suspend fun refused(level: RaidLevel, count: Int, chunk: Int = 4096) =
                shouldThrow<ArrayException.BadGeometry> {
                    arrays.create(CreateSpec("x", level, chunk), disks(count).map { it.open() })
                }.why
            refused(RaidLevel.RAID6, 3) shouldContain "at least 4"
            refused(RaidLevel.RAID5, 3, 5000) shouldContain "power of two"
            refused(RaidLevel.RAID5, 3, 1 shl 24) shouldContain "too few"
            val twice = disks(2)
            val one = listOf(twice[0], twice[0], twice[1]).map { it.open() }
            shouldThrow<ArrayException.BadGeometry> {
                arrays.create(CreateSpec("x", RaidLevel.RAID5), one)
            }.why shouldContain "2 times"
            shouldThrow<ArrayException.BadGeometry> {
                arrays.create(CreateSpec("n".repeat(40), RaidLevel.RAID1), disks(2).map { it.open() })
            }.why shouldContain "32 bytes"
        }
    }
})

/** Waits until what was written to the disk has arrived. */
private suspend fun Arrays.state(disk: SimulatedDisk) {
    repeat(20) { runCatching { examine(disk.open()) } }
}
