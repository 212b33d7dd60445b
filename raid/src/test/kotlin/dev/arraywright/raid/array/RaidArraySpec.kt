package dev.arraywright.raid.array

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.device.DeviceIoException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.future.await
import java.nio.ByteBuffer

/** How many of the first four stripes have no data on the slot. */
private fun parityStrips(array: RaidArray, slot: Int): Int =
    (0L until 4L).count { array.geometry.shard(it, slot) >= array.geometry.dataChunks() }

class RaidArraySpec : StringSpec({
    val members =
        mapOf(
            RaidLevel.RAID0 to 3,
            RaidLevel.RAID1 to 2,
            RaidLevel.RAID5 to 4,
            RaidLevel.RAID6 to 5,
            RaidLevel.RAID10 to 4,
        )

    for ((level, count) in members) {
        for (block in listOf(512, 4096)) {
            "$level on blocks of $block keeps what was written, at any offset, through a stop and an assembly" {
                Bench().run {
                    val disks = disks(count, block = block)
                    val array = arrays.create(CreateSpec("home", level, 16384), disks.map { it.open() })
                    val model = ByteArray(array.size.toInt())
                    array.put(0, model)
                    repeat(60) {
                        val length = random.nextInt(1, if (it % 3 == 0) 100_000 else 3000)
                        val offset = random.nextInt(model.size - length)
                        val bytes = random.nextBytes(length)
                        array.put(offset.toLong(), bytes)
                        bytes.copyInto(model, offset)
                    }
                    array.get(0, model.size).contentEquals(model) shouldBe true
                    array.get(777, 9999).contentEquals(model.copyOfRange(777, 777 + 9999)) shouldBe true
                    array.stop()
                    val again = arrays.assemble(disks.shuffled(random).map { it.open() })
                    again.report.leftOut shouldBe emptyList()
                    again.get(0, model.size).contentEquals(model) shouldBe true
                    again.stop()
                }
            }
        }
    }

    for ((level, count) in members.filterKeys { it.redundant() }) {
        "$level serves without the members it tolerates to lose, rebuilds, and is whole again" {
            Bench().run {
                val disks = disks(count)
                val array = arrays.create(CreateSpec("home", level, 16384), disks.map { it.open() })
                val model = random.nextBytes(array.size.toInt())
                array.put(0, model)
                array.settled()
                val lost = if (level == RaidLevel.RAID6) 2 else 1
                for (disk in disks.take(lost)) array.fail(disk.id)
                array.state.value.phase shouldBe ArrayPhase.Degraded(lost)
                array.get(0, model.size).contentEquals(model) shouldBe true
                val bytes = random.nextBytes(50_001)
                array.put(12_345, bytes)
                bytes.copyInto(model, 12_345)
                for (disk in disks(lost, "new")) array.add(disk.open())
                array.settled()
                for (disk in disks.drop(lost).take(lost)) array.fail(disk.id)
                array.get(0, model.size).contentEquals(model) shouldBe true
                array.stop()
            }
        }
    }

    "an array past its tolerance takes no writes and says why, and reads what it can" {
        Bench().run {
            val disks = disks(3)
            val array = arrays.create(
                CreateSpec("home", RaidLevel.RAID5, 4096, assumeClean = true),
                disks.map {
                    it.open()
                },
            )
            array.put(0, ByteArray(8192) { 7 })
            disks[0].gone = true
            disks[1].gone = true
            shouldThrow<DeviceIoException> { array.put(0, ByteArray(64 * 1024)) }
            array.state.value.phase.shouldBeInstanceOf<ArrayPhase.Failed>()
            shouldThrow<DeviceIoException.WriteProtectedException> { array.put(0, ByteArray(1)) }
            val readable = (0 until 3).count { runCatching { array.get(it * 8192L, 4096) }.isSuccess }
            readable shouldBe 1
            array.stop()
        }
    }

    "an array past its tolerance can be assembled once its members answer again, with all that was acknowledged" {
        Bench().run {
            val disks = disks(4)
            val array = arrays.create(CreateSpec("home", RaidLevel.RAID5, 4096), disks.map { it.open() })
            val model = random.nextBytes(array.size.toInt())
            array.put(0, model)
            array.flush()
            disks.take(2).forEach { it.gone = true }
            shouldThrow<DeviceIoException> { array.put(0, random.nextBytes(8192)) }
            array.stop()
            disks.forEach { it.recover() }
            val again = shouldThrow<ArrayException.DirtyAndDegraded> { arrays.assemble(disks.map { it.open() }) }
            again.message.orEmpty() shouldContain "force"
            val forced = arrays.assemble(disks.map { it.open() }, force = true)
            forced.get(8192, model.size - 8192).contentEquals(model.copyOfRange(8192, model.size)) shouldBe true
            forced.stop()
        }
    }

    "the last copy is not dropped for a medium error, which costs the bad bytes alone" {
        Bench().run {
            val disks = disks(2)
            val array = arrays.create(CreateSpec("home", RaidLevel.RAID1, assumeClean = true), disks.map { it.open() })
            array.fail(disks[0].id)
            disks[1].spoil(MIB + 4096, 512)
            val error = shouldThrow<DeviceIoException.MediumErrorException> { array.get(4000, 1000) }
            (error.offset() <= 4096 && error.offset() + error.length() > 4096) shouldBe true
            array.get(8192, 100)
            array.state.value.phase shouldBe ArrayPhase.Degraded(1)
            shouldThrow<ArrayException.WrongState> { array.fail(disks[1].id) }
            array.stop()
        }
    }

    "a medium error is answered from redundancy and rewritten in place" {
        for ((level, count) in members.filterKeys { it.redundant() }) {
            Bench().run {
                val disks = disks(count)
                val array = arrays.create(CreateSpec("home", level, 16384), disks.map { it.open() })
                val model = random.nextBytes(array.size.toInt())
                array.put(0, model)
                array.settled()
                disks[1].spoil(MIB, 65536)
                // Whichever copy a mirror reads first: all of it is read several times.
                repeat(3) { array.get(0, model.size).contentEquals(model) shouldBe true }
                // Parity on the spoiled strips was not read, so it is not cured; data was.
                disks[1].bad shouldBe if (level.parities() > 0) parityStrips(array, 1) * 32 else disks[1].bad
                array.state.value.phase shouldBe ArrayPhase.Healthy
                array.stop()
            }
        }
    }

    "the array as a device: any offset, bare failures, and gone after the array's stop" {
        Bench().run {
            val disks = disks(3)
            val array = arrays.create(
                CreateSpec("home", RaidLevel.RAID5, 4096, assumeClean = true),
                disks.map {
                    it.open()
                },
            )
            val device = array.asDevice()
            device.info().size() shouldBe array.size
            device.write(ByteBuffer.wrap(byteArrayOf(1, 2, 3)), 4095).await()
            val target = ByteBuffer.allocate(5)
            device.read(target, 4094).await()
            target.position() shouldBe 0
            target.array().toList() shouldBe listOf<Byte>(0, 1, 2, 3, 0)
            shouldThrow<IllegalArgumentException> { device.read(ByteBuffer.allocate(2), array.size - 1) }
            array.stop()
            device.isOnline shouldBe false
            shouldThrow<DeviceIoException.DeviceGoneException> { device.flush().await() }
        }
    }

    "an array can be a member of another" {
        Bench().run {
            val stripes =
                List(2) { i ->
                    arrays.create(
                        CreateSpec("s$i", RaidLevel.RAID0, 4096),
                        disks(2, "d$i-", dataSize = 1 shl 20).map {
                            it.open()
                        },
                    )
                }
            val mirror = arrays.create(
                CreateSpec("m", RaidLevel.RAID1, assumeClean = true),
                stripes.map {
                    it.asDevice()
                },
            )
            val bytes = random.nextBytes(100_000)
            mirror.put(1000, bytes)
            mirror.get(1000, bytes.size).contentEquals(bytes) shouldBe true
            mirror.stop()
            stripes.forEach { it.stop() }
        }
    }
})
