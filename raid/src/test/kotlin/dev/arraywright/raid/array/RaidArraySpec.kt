package dev.arraywright.raid.array

import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.simulation.SeededDispatcher
import dev.arraywright.raid.simulation.SimulatedDisk
import dev.arraywright.spi.device.DeviceIoException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours

private const val MIB = 1L shl 20

/** Disks, time and a runtime of their own for a story about an array. */
private class Bench : SimulatedDisk.World {
    val dispatcher = SeededDispatcher(Random(1))
    val random = Random(2)
    val runtime = ArrayRuntime(dispatcher, dispatcher.clock, random)
    val arrays = Arrays(runtime)

    override fun later(extra: Long, action: () -> Unit) {
        dispatcher.after(random.nextLong(1, 100_000) + extra) { action() }
    }

    fun disks(count: Int, name: String = "disk", block: Int = 512): List<SimulatedDisk> =
        List(count) { SimulatedDisk("$name$it", MIB + 256 * 1024, block, this) }

    fun run(story: suspend Bench.() -> Unit) {
        var result: Result<Unit>? = null
        CoroutineScope(dispatcher + SupervisorJob()).launch { result = runCatching { story() } }
        dispatcher.runUntil(1.hours) { result != null }
        result?.getOrThrow()
    }

    suspend fun RaidArray.get(offset: Long, length: Int): ByteArray =
        ByteArray(length).also { read(ByteBuffer.wrap(it), offset) }

    suspend fun RaidArray.put(offset: Long, bytes: ByteArray) = write(ByteBuffer.wrap(bytes), offset)

    suspend fun RaidArray.settled() = state.first { it.phase == ArrayPhase.Healthy }
}

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
})
