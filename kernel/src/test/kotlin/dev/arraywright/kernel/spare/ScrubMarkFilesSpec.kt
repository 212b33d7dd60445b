package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.ScrubStarted
import dev.arraywright.kernel.event.Topic
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.spare.HotSparePolicy
import dev.arraywright.raid.spare.ScrubMark
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import java.util.UUID
import java.util.zip.CRC32C
import kotlin.random.Random
import kotlin.time.Instant

class ScrubMarkFilesSpec : StringSpec({
    val mark = ScrubMark(123_456_789, ScrubMode.REPAIR, Instant.fromEpochSeconds(1_800_000_000, 123))

    "a mark is read back, of its own array, by another process" {
        val directory = tempdir().toPath().resolve("deep/state")
        val (one, other) = List(2) { UUID.randomUUID() }
        ScrubMarkFiles(directory).load(one) shouldBe null
        ScrubMarkFiles(directory).save(one, mark.copy(position = 1))
        ScrubMarkFiles(directory).save(one, mark)
        ScrubMarkFiles(directory).load(one) shouldBe mark
        ScrubMarkFiles(directory).load(other) shouldBe null
    }

    "any change of a byte is found" {
        val line = ScrubMarkFiles.encode(mark)
        ScrubMarkFiles.parse(line) shouldBe mark
        for (at in line.indices) {
            val bad = line.clone().also { it[at] = (it[at].toInt() xor 4).toByte() }
            ScrubMarkFiles.parse(bad) shouldBe null
            ScrubMarkFiles.parse(line.copyOf(at)) shouldBe null
        }
    }

    "nothing that a file may hold makes reading it fail" {
        val random = Random(7)
        repeat(5000) { ScrubMarkFiles.parse(random.nextBytes(random.nextInt(200))) shouldBe null }
        repeat(5000) {
            val payload = "{\"position\":${random.nextLong()},\"mode\":\"check\",\"completed\":\"${random.nextInt()}\"}"
            val cut = payload.take(random.nextInt(payload.length + 1)).encodeToByteArray()
            val sum = CRC32C().apply { update(cut) }.value.toInt().toHexString()
            ScrubMarkFiles.parse("1 $sum ".encodeToByteArray() + cut + 10) shouldBe null
        }
    }

    "a scrub goes on after a restart where it was" {
        val dir = tempdir()
        val options = KernelOptions(state = dir.toPath().resolve("state"))
        val members = List(2) { "file:${dir.path}/m$it" }
        val slow = HotSparePolicy(rebuildFloor = 1L shl 20, rebuildCeiling = 1L shl 20)
        val at = ArraywrightKernel.start(options).use { kernel ->
            kernel.protection.setPolicy(slow)
            val spec = ArraySpec("vault", RaidLevel.RAID1, members, createFilesOf = 64 * MIB, assumeClean = true)
            kernel.createArray(spec).status.value.health shouldBe ArrayHealth.OPTIMAL
            kernel.protection.startScrub("vault", ScrubMode.REPAIR)
            val scrub = kernel.protection.shows { now -> now.scrubs.any { it.done > 2 * MIB } }.scrubs.single()
            scrub.mode shouldBe "repair"
            scrub.done
        }
        ArraywrightKernel.start(options).use { kernel ->
            kernel.assembleArray(members)
            val told = kernel.until(Topic.SCRUB_COMPLETE).map { it.occurrence }
            val started = told.filterIsInstance<ScrubStarted>().single()
            started.repair shouldBe true
            started.bytesDone shouldBeGreaterThan 0
            (started.bytesDone <= started.bytesTotal && at > 0) shouldBe true
        }
    }
})
