package dev.arraywright.hardware.health.history

import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.health.epoch
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.property.Arb
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll
import java.io.IOException
import java.nio.file.attribute.FileTime
import kotlin.io.path.createDirectories
import kotlin.io.path.exists
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readBytes
import kotlin.io.path.setLastModifiedTime
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText

class HistoryFilesSpec : StringSpec({
    val history = HealthHistory.of(listOf(HealthSample(epoch, percentageUsed = 7)), epoch)

    "a history outlives the process, in a directory that need not be there" {
        val directory = scratchDirectory().resolve("a/b")
        HistoryFiles(directory).load("wwn:1", epoch) shouldBe LoadedHistory(HealthHistory.EMPTY, null)
        HistoryFiles(directory).save("wwn:1", history)
        HistoryFiles(directory).load("wwn:1", epoch) shouldBe LoadedHistory(history, null)
        directory.listDirectoryEntries().map { it.name } shouldBe listOf("health-wwn%3a1")
    }

    "what is damaged is set aside with a word, and the history begins anew" {
        val directory = scratchDirectory()
        val files = HistoryFiles(directory)
        files.save("wwn:1", history)
        val bytes = files.file("wwn:1").readBytes().also { it[30] = 99 }
        files.file("wwn:1").writeBytes(bytes)
        val loaded = files.load("wwn:1", epoch)
        loaded.history shouldBe HealthHistory.EMPTY
        loaded.problem.shouldNotBeNull() shouldContain "health-wwn%3a1.damaged"
        directory.resolve("health-wwn%3a1.damaged").readBytes() shouldBe bytes
        files.load("wwn:1", epoch).problem.shouldBeNull()
    }

    "a file of no end is not read to it" {
        val files = HistoryFiles(scratchDirectory())
        files.file("a").writeBytes(ByteArray(HistoryFormat.LIMIT + 1000))
        files.load("a", epoch).problem.shouldNotBeNull() shouldContain "${HistoryFormat.LIMIT + 1} bytes"
    }

    "what was left of a write that a crash cut short is written over" {
        val files = HistoryFiles(scratchDirectory())
        val cut = files.file("a").resolveSibling("health-a.new").also {
            it.writeText("cut short and longer than the next")
        }
        files.save("a", history)
        cut.exists() shouldBe false
        files.load("a", epoch).history shouldBe history
    }

    "there are so many files at most: the ones that were written longest ago go, and other programs' stay" {
        val directory = scratchDirectory()
        directory.resolve("marks").writeText("mine")
        val files = HistoryFiles(directory, limit = 3)
        for (i in 1..5) {
            files.save("d$i", history)
            files.file("d$i").setLastModifiedTime(FileTime.fromMillis(1_000_000L * i))
        }
        directory.listDirectoryEntries().map { it.name }
            .shouldContainExactlyInAnyOrder("health-d3", "health-d4", "health-d5", "marks")
    }

    "any ids have names of their own, in the directory" {
        val directory = scratchDirectory()
        val files = HistoryFiles(directory)
        val names = HashMap<String, String>()
        checkAll(1000, Arb.string(0..300)) { id ->
            val file = files.file(id)
            file.parent shouldBe directory
            (file.name.length <= 220) shouldBe true
            names.getOrPut(file.name) { id } shouldBe id
        }
        files.file("../../etc/passwd").name shouldBe "health-%2e%2e%2f%2e%2e%2fetc%2fpasswd"
    }

    "a directory that cannot be is an I/O error" {
        val file = scratchDirectory().resolve("file").also { it.writeText("") }
        shouldThrow<IOException> { HistoryFiles(file).save("a", history) }
        val odd = HistoryFiles(scratchDirectory())
        odd.file("a").createDirectories()
        shouldThrow<IOException> { odd.load("a", epoch) }
    }
})
