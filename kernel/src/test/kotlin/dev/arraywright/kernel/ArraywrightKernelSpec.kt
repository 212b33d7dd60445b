package dev.arraywright.kernel

import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.kernel.event.Topic
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.flow.toList
import java.io.File
import java.nio.ByteBuffer
import kotlin.random.Random

private const val MIB = 1L shl 20

class ArraywrightKernelSpec : StringSpec({
    fun files(count: Int, dir: File = tempdir()): List<String> = (0 until count).map { "file:${dir.path}/m$it.img" }

    suspend fun ArrayHandle.bytes(offset: Long, count: Int): ByteArray =
        ByteBuffer.allocateDirect(count).also { read(it, offset) }.let { buffer ->
            ByteArray(count).also(buffer::get)
        }

    suspend fun ArraywrightKernel.array(level: RaidLevel, members: List<String>, spares: List<String> = emptyList()) =
        createArray(ArraySpec("vault", level, members, spares, chunk = 64 * 1024, createFilesOf = 16 * MIB))

    for ((level, count, lose) in listOf(
        Triple(RaidLevel.RAID1, 2, listOf("1")),
        Triple(RaidLevel.RAID5, 4, listOf("2")),
        Triple(RaidLevel.RAID6, 5, listOf("0", "3")),
        Triple(RaidLevel.RAID10, 4, listOf("1", "2")),
    )) {
        "$level: written, degraded, rebuilt, stopped and assembled again, the bytes stay" {
            val members = files(count)
            val data = Random(level.ordinal).nextBytes(1_000_003)
            val replacement = tempdir()
            val now = ArraywrightKernel.start().use { kernel ->
                val array = kernel.array(level, members)
                array.write(ByteBuffer.wrap(data), 12_345)
                array.flush()
                array.awaitIdle()
                for (slot in lose) array.fail(slot)
                array.status.value.health shouldBe ArrayHealth.DEGRADED
                array.bytes(12_345, data.size) shouldBe data
                for ((i, slot) in lose.withIndex()) {
                    array.remove(slot)
                    val fresh = File(replacement, "r$i.img").apply {
                        java.io.RandomAccessFile(this, "rw").use { it.setLength(16 * MIB) }
                    }
                    array.add("file:${fresh.path}")
                    array.awaitIdle()
                }
                array.status.value.health shouldBe ArrayHealth.OPTIMAL
                array.status.value.members.map { it.address!! }
            }
            ArraywrightKernel.start().use { kernel ->
                val again = kernel.assembleArray(now.shuffled(Random(1)))
                again.name shouldBe "vault"
                again.status.value.health shouldBe ArrayHealth.OPTIMAL
                again.bytes(12_345, data.size) shouldBe data
            }
        }
    }

    "two kernels run in one process, and a member belongs to one of them" {
        val members = files(2)
        ArraywrightKernel.start().use { one ->
            ArraywrightKernel.start().use { other ->
                one.array(RaidLevel.RAID1, members)
                val error = shouldThrow<KernelError.InUse> { other.assembleArray(members) }
                error.what shouldContain members.first()
                other.devices.value.shouldBeEmpty()
                other.createArray(ArraySpec("own", RaidLevel.RAID1, files(2), createFilesOf = 16 * MIB)).size shouldBe
                    one.arrays.value.getValue("vault").size
            }
            one.arrays.value.keys shouldBe setOf("vault")
        }
    }

    "what fails on the way to an array leaves no file, no claim and no array" {
        val dir = tempdir()
        val members = files(2, dir) + "file:${dir.path}/missing/m.img"
        ArraywrightKernel.start().use { kernel ->
            shouldThrow<KernelError> { kernel.array(RaidLevel.RAID5, members) }
            dir.list()!!.toList() shouldBe emptyList()
            kernel.devices.value.shouldBeEmpty()
            kernel.arrays.value.shouldBeEmpty()
        }
    }

    "one device cannot be two members" {
        val one = files(1).single()
        ArraywrightKernel.start().use { kernel ->
            val error = shouldThrow<KernelError.InvalidRequest> { kernel.array(RaidLevel.RAID1, listOf(one, one)) }
            error.what shouldContain "named twice"
        }
    }

    "an array that is exported is not stopped" {
        ArraywrightKernel.start().use { kernel ->
            kernel.array(RaidLevel.RAID1, files(2))
            kernel.listen(NbdConfiguration(port = 0))
            val export = kernel.export("vault", ExportConfiguration("v"))
            export.uri shouldContain "/v"
            shouldThrow<KernelError.InUse> { kernel.stopArray("vault") }.why shouldContain "exported as v"
            kernel.unexport("v")
            kernel.stopArray("vault")
            kernel.arrays.value.shouldBeEmpty()
            kernel.devices.value.shouldBeEmpty()
        }
    }

    "events tell the story in order, without gaps" {
        ArraywrightKernel.start().use { kernel ->
            val array = kernel.array(RaidLevel.RAID6, files(5), listOf("file:${tempdir().path}/spare.img"))
            array.awaitIdle()
            array.fail("2")
            array.status.first { it.health == ArrayHealth.OPTIMAL }
            val story = kernel.events.takeWhile { it.topic != Topic.ARRAY_RECOVERED }.toList()
            story.map { it.sequence } shouldBe (1L..story.size).toList()
            story.map { it.topic } shouldContainAll
                listOf(Topic.DEVICE_GROUP_CREATED, Topic.DEVICE_FAILED, Topic.ARRAY_DEGRADED, Topic.REBUILD_STARTED)
        }
    }

    "a closed kernel refuses, and closing again does nothing" {
        val kernel = ArraywrightKernel.start()
        kernel.close()
        kernel.close()
        shouldThrow<KernelError.Closed> { kernel.array(RaidLevel.RAID1, files(2)) }
    }
})
