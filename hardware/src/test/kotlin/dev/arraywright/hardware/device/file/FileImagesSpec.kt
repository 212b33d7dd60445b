package dev.arraywright.hardware.device.file

import dev.arraywright.hardware.device.needs
import dev.arraywright.hardware.device.open
import dev.arraywright.hardware.device.ready
import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.io.path.createDirectory
import kotlin.io.path.fileSize
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readBytes
import kotlin.io.path.writeText

class FileImagesSpec : StringSpec({
    "a sparse file takes no space, a preallocated one all of it" {
        val directory = scratchDirectory()
        val sparse = directory.resolve("sparse")
        FileImages.create(sparse, 8 shl 20) shouldBe FileSpace.SPARSE
        FileStatus.of("$sparse").run {
            size shouldBe (8 shl 20)
            allocated shouldBeLessThan (64 shl 10)
            mode and 0b111_111_111 shouldBe 0b110_000_000
        }
        val full = directory.resolve("full")
        FileImages.create(full, 8 shl 20, preallocate = true) shouldBe FileSpace.PREALLOCATED
        FileStatus.of("$full").allocated shouldBeGreaterThanOrEqual (8L shl 20)
        full.readBytes().all { it == 0.toByte() } shouldBe true
    }

    "an existing file stays as it is unless it may be replaced" {
        val path = scratchFile(0)
        path.writeText("precious")
        shouldThrow<DriverException> { FileImages.create(path, 4096) }.run {
            reason() shouldBe Reason.INVALID
            message shouldContain "exists"
        }
        path.fileSize() shouldBe 8
        FileImages.create(path, 4096, replace = true)
        path.readBytes() shouldBe ByteArray(4096)
        path.parent.listDirectoryEntries() shouldBe listOf(path)
    }

    "a file that is open as a device is not replaced" {
        val path = scratchFile(4096)
        FileDriver().ready().open("file:$path").use {
            shouldThrow<DriverException> {
                FileImages.create(path, 4096, replace = true)
            }.reason() shouldBe Reason.IN_USE
        }
    }

    "bad input is refused: sizes, a missing directory, a directory in the way" {
        val directory = scratchDirectory()
        for (size in listOf(0L, -512L, 1000L)) {
            shouldThrow<DriverException> { FileImages.create(directory.resolve("a"), size) }.reason() shouldBe
                Reason.INVALID
        }
        shouldThrow<DriverException> { FileImages.create(directory.resolve("none/a"), 4096) }.reason() shouldBe
            Reason.NOT_FOUND
        directory.resolve("b").createDirectory()
        shouldThrow<DriverException> {
            FileImages.create(directory.resolve("b"), 4096, replace = true)
        }.reason() shouldBe
            Reason.INVALID
        directory.listDirectoryEntries() shouldBe listOf(directory.resolve("b"))
    }

    "a full file system is said, and nothing is left behind".config(enabledOrReasonIf = needs(Peers.ROOT)) {
        mounted("size=1m") { directory ->
            shouldThrow<DriverException> {
                FileImages.create(directory.resolve("a"), 8 shl 20, preallocate = true)
            }.run {
                reason() shouldBe Reason.FAILED
                message shouldContain "8MiB"
            }
            directory.listDirectoryEntries().shouldBeEmpty()
            FileImages.create(directory.resolve("a"), 8 shl 20) shouldBe FileSpace.SPARSE
        }
    }
})
