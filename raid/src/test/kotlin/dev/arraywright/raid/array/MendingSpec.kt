package dev.arraywright.raid.array

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockDescriptor
import dev.arraywright.raid.repair.RebuildKind
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.RebuildStatus
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class MendingSpec : StringSpec({
    suspend fun RaidArray.ended(): RebuildStatus = repair.rebuild.filterNotNull().first { it.phase.terminal }

    for (level in listOf(RaidLevel.RAID1, RaidLevel.RAID5, RaidLevel.RAID6, RaidLevel.RAID10)) {
        "$level: a member is replaced while it serves, and redundancy never drops" {
            Bench().run {
                val disks = disks(level.minimumMembers())
                val spare = disks(1, "spare").single()
                val array = arrays.create(CreateSpec("a", level, 4096), disks.map { it.open() }, listOf(spare.open()))
                array.settled()
                val data = random.nextBytes(100_000)
                array.put(5, data)
                var fewest = 0
                array.observe(object : ArrayObserver {
                    override fun changed(before: ArrayState, after: ArrayState) {
                        fewest = maxOf(fewest, after.missing)
                    }
                })
                array.replace("disk0", "spare0", "worn")
                array.state.value.slots[0].replacement?.deviceId shouldBe "spare0"
                array.put(60_000, data)
                array.ended().phase shouldBe RebuildPhase.COMPLETE
                fewest shouldBe 0
                array.state.value.slots[0] shouldBe SlotState(0, "spare0", MemberState.InSync)
                array.state.value.out shouldBe listOf(OutDevice("disk0", 0, OutDevice.Kind.REPLACED, "worn"))
                disks[0].gone = true
                array.get(60_000, data.size) shouldBe data
                array.stop()
                val again = arrays.assemble((disks.drop(1) + spare).map { it.open() })
                again.state.value.phase shouldBe ArrayPhase.Healthy
                again.get(60_000, data.size) shouldBe data
                again.stop()
            }
        }
    }

    "a replacement goes on where it was after a stop, and takes over when the member beside it fails" {
        Bench().run {
            val disks = disks(3)
            val spare = disks(1, "spare").single()
            val spec = CreateSpec("a", RaidLevel.RAID5, 4096)
            val array = arrays.create(spec, disks.map { it.open() }, listOf(spare.open()))
            array.settled()
            array.replace("disk0", "spare0")
            array.repair.rebuild.filterNotNull().first { it.progress.done > 0 }
            array.stop()
            val again = arrays.assemble((disks + spare).map { it.open() })
            again.state.value.slots[0].replacement?.deviceId shouldBe "spare0"
            again.fail("disk0")
            again.state.value.slots[0].deviceId shouldBe "spare0"
            again.settled()
            again.stop()
        }
    }

    "a rebuild that is called off leaves its device a spare and the slot empty, until told otherwise" {
        Bench().run {
            val disks = disks(3)
            val spare = disks(1, "spare").single()
            val spec = CreateSpec("a", RaidLevel.RAID5, 4096)
            val array = arrays.create(spec, disks.map { it.open() }, listOf(spare.open()))
            array.settled()
            array.fail("disk1")
            val status = array.repair.rebuild.filterNotNull().first { it.replacement == "spare0" }
            array.repair.cancel(status.id)
            array.ended().phase shouldBe RebuildPhase.CANCELLED
            array.state.value.spares shouldBe listOf("spare0")
            array.state.value.slots[1].member shouldBe MemberState.Missing
            array.rebuild(1, "spare0")
            array.settled()
            array.stop()
        }
    }

    "a rebuild that cannot read its source gives the spare back, and says which was at fault" {
        Bench().run {
            val disks = disks(3)
            val array = arrays.create(CreateSpec("a", RaidLevel.RAID5, 4096), disks.map { it.open() })
            array.settled()
            array.fail("disk1")
            disks[2].spoil(MIB + 128 * 1024, 4096)
            array.add(disks(1, "spare").single().open())
            val status = array.ended()
            status.phase shouldBe RebuildPhase.FAILED
            status.spareAtFault shouldBe false
            status.error!! shouldContain "disk2"
            array.state.value.spares shouldBe listOf("spare0")
            array.stop()
        }
    }

    "what makes no sense is refused, and nothing changes" {
        Bench().run {
            val disks = disks(3)
            val spare = disks(1, "spare").single()
            val spec = CreateSpec("a", RaidLevel.RAID5, 4096)
            val array = arrays.create(spec, disks.map { it.open() }, listOf(spare.open()))
            array.settled()
            val before = array.state.value
            shouldThrow<ArrayException.WrongState> { array.rebuild(0, "spare0") }.why shouldContain "working member"
            shouldThrow<ArrayException.WrongState> { array.rebuild(9, "spare0") }.why shouldContain "no slot 9"
            shouldThrow<ArrayException.WrongState> { array.rebuild(0, "disk1") }.why shouldContain "no spare"
            shouldThrow<ArrayException.WrongState> { array.replace("nobody", "spare0") }.why shouldContain "no working"
            shouldThrow<ArrayException.WrongState> { array.replace("disk0", "disk1") }.why shouldContain "no spare"
            shouldThrow<ArrayException.WrongState> { array.repair.cancel("a.7") }.why shouldContain "no rebuild"
            shouldThrow<ArrayException.WrongState> { array.readd(disks(1, "new").single().open()) }
            shouldThrow<ArrayException.WrongState> { array.readd(disks[1].open()) }.why shouldContain "already"
            array.state.value shouldBe before
            array.stop()
        }
    }

    for (bitmap in listOf(4096, null)) {
        "a member that was unplugged comes back: ${if (bitmap == null) "whole" else "by the bitmap alone"}" {
            Bench().run {
                val disks = disks(3, dataSize = 1 shl 20)
                val spec = CreateSpec("a", RaidLevel.RAID5, 4096, bitmapChunk = bitmap)
                val array = arrays.create(spec, disks.map { it.open() })
                array.settled()
                val kinds = ArrayList<RebuildKind>()
                array.observe(object : ArrayObserver {
                    override fun rebuild(status: RebuildStatus) {
                        kinds += status.kind
                    }
                })
                val data = random.nextBytes(20_000)
                delay(30.seconds)
                disks[1].gone = true
                array.put(400_000, data)
                array.state.value.missing shouldBe 1
                val before = disks[1].bytesWritten
                array.readd(disks[1].reopen()) shouldBe (bitmap != null)
                array.settled()
                kinds shouldContain if (bitmap != null) RebuildKind.READD else RebuildKind.REBUILD
                val written = disks[1].bytesWritten - before
                if (bitmap != null) (written < 80_000) shouldBe true else (written > 1_000_000) shouldBe true
                disks[0].gone = true
                array.get(400_000, data.size) shouldBe data
                array.stop()
            }
        }
    }

    "a member that was not only failed but removed under md comes back: md forgets its role then" {
        Bench().run {
            val disks = disks(3)
            val spec = CreateSpec("a", RaidLevel.RAID5, 4096, bitmapChunk = 4096)
            val array = arrays.create(spec, disks.map { it.open() })
            array.settled()
            disks[1].gone = true
            val data = random.nextBytes(20_000)
            array.put(100_000, data)
            array.stop()
            for (disk in listOf(disks[0], disks[2])) {
                val at = SuperblockDescriptor.SUPERBLOCK_OFFSET
                val own = Superblock.parse(ByteBuffer.wrap(disk.peek(at.toLong(), SuperblockDescriptor.MAX_SIZE)))
                val block = own.withRole(1, Superblock.SPARE).encode(512)
                disk.scribble(at.toLong(), ByteArray(block.remaining()).also { block.get(it) })
            }
            val again = arrays.assemble(listOf(disks[0].reopen(), disks[2].reopen()))
            again.readd(disks[1].reopen()) shouldBe true
            again.settled()
            disks[0].gone = true
            again.get(100_000, data.size) shouldBe data
            again.stop()
        }
    }

    "a write that began while a member was away reaches it, though it ends after the member is back" {
        for (moment in 1..20) {
            Bench().run {
                val disks = disks(3, dataSize = 1 shl 20)
                val spec = CreateSpec("a", RaidLevel.RAID5, 4096, assumeClean = true, bitmapChunk = 4096)
                val array = arrays.create(spec, disks.map { it.open() })
                disks[1].gone = true
                array.put(0, ByteArray(8192))
                // Each stripe is written once: no bit tells of an earlier write that the member missed.
                val data = List(250) { random.nextBytes(8192) }
                uneven = true
                coroutineScope {
                    for (writer in 0 until 10) {
                        launch {
                            for (stripe in writer until data.size step 10) array.put(8192L * (stripe + 1), data[stripe])
                        }
                    }
                    delay(moment.milliseconds * 3)
                    array.readd(disks[1].reopen()) shouldBe true
                    array.settled()
                }
                disks[0].gone = true
                for ((stripe, bytes) in data.withIndex()) array.get(8192L * (stripe + 1), bytes.size) shouldBe bytes
                array.stop()
            }
        }
    }

    "a member whose place was taken is not taken back" {
        Bench().run {
            val disks = disks(3)
            val spec = CreateSpec("a", RaidLevel.RAID5, 4096, bitmapChunk = 4096)
            val spare = disks(1, "spare").single()
            val array = arrays.create(spec, disks.map { it.open() }, listOf(spare.open()))
            array.settled()
            disks[1].gone = true
            array.put(0, random.nextBytes(100_000))
            array.settled()
            val refusal = shouldThrow<ArrayException.WrongState> { array.readd(disks[1].reopen()) }
            refusal.why shouldContain "spare0"
            array.state.value.slots[1].deviceId shouldBe "spare0"
            array.state.value.phase shouldNotBe ArrayPhase.Stopped
            array.stop()
        }
    }
})
