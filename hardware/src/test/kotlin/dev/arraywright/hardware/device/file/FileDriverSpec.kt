package dev.arraywright.hardware.device.file

import dev.arraywright.hardware.device.LoopDevice
import dev.arraywright.hardware.device.bytes
import dev.arraywright.hardware.device.heldElsewhere
import dev.arraywright.hardware.device.needs
import dev.arraywright.hardware.device.open
import dev.arraywright.hardware.device.ready
import dev.arraywright.hardware.device.run
import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.device.Extent
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotBeEmpty
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createSymbolicLinkPointingTo

class FileDriverSpec : StringSpec({
    val driver = FileDriver().ready()

    fun refusal(address: String, options: OpenOptions = OpenOptions.DEFAULT): DriverException =
        shouldThrow<DriverException> { driver.open(address, options).close() }.also { it.remedy().shouldNotBeEmpty() }

    "an open file tells its size, its kind and whether it bypasses the page cache" {
        val path = scratchFile(1 shl 20)
        driver.open("file:$path").use { device ->
            device.info().size() shouldBe (1 shl 20)
            device.info().type() shouldBe DeviceType.FILE
            device.info().id() shouldBe "file:$path"
            device.info().directIo() shouldBe true
        }
        driver.open("file:$path", OpenOptions(false, false)).use { it.info().directIo() shouldBe false }
    }

    "each bad input gets its own reason, a message that names it, and a remedy" {
        val directory = scratchDirectory()
        refusal("file:$directory/none").run {
            reason() shouldBe Reason.NOT_FOUND
            message shouldContain "$directory/none"
        }
        refusal("file:$directory").reason() shouldBe Reason.UNSUPPORTED
        refusal("file:/dev/null").reason() shouldBe Reason.UNSUPPORTED
        refusal("block:/dev/null").reason() shouldBe Reason.UNSUPPORTED
        refusal("file:${scratchFile(0)}").reason() shouldBe Reason.INVALID
        refusal("file:${scratchFile(1000)}").run {
            reason() shouldBe Reason.INVALID
            message shouldContain "1000 bytes"
        }
        val circle = directory.resolve("circle")
        circle.createSymbolicLinkPointingTo(circle)
        refusal("file:$circle").reason() shouldBe Reason.NOT_FOUND
    }

    "a size that is no multiple of direct I/O's block is served buffered where that is larger than a sector" {
        val path = scratchFile(512 * 9)
        driver.open("file:$path").use { device ->
            device.write(ByteBuffer.allocate(512), 512 * 8)
            device.info().size() shouldBe 512 * 9
        }
    }

    "a file is open once for writing, whatever path leads to it, and again after close" {
        val path = scratchFile(1 shl 20)
        val link = path.resolveSibling("link")
        link.createSymbolicLinkPointingTo(path)
        val hard = Files.createLink(path.resolveSibling("hard"), path)
        driver.open("file:$path").use {
            for (other in listOf(path, link, hard)) {
                for (options in listOf(OpenOptions.DEFAULT, OpenOptions.READ_ONLY)) {
                    refusal("file:$other", options).run {
                        reason() shouldBe Reason.IN_USE
                        message shouldContain "file:$path"
                    }
                }
            }
        }
        driver.open("file:$hard").close()
    }

    "readers share a file, and keep writers out" {
        val path = scratchFile(1 shl 20)
        driver.open("file:$path", OpenOptions.READ_ONLY).use {
            driver.open("file:$path", OpenOptions.READ_ONLY).close()
            refusal("file:$path").reason() shouldBe Reason.IN_USE
        }
        driver.open("file:$path").close()
    }

    "a claim survives other openings of the file in this process" {
        val path = scratchFile(1 shl 20)
        driver.open("file:$path").use {
            Files.readAllBytes(path)
            refusal("file:$path").reason() shouldBe Reason.IN_USE
        }
    }

    "a file that another process has locked is refused by that process's name"
        .config(enabledOrReasonIf = needs("flock")) {
            val path = scratchFile(1 shl 20)
            locking(path) { process ->
                refusal("file:$path").run {
                    reason() shouldBe Reason.IN_USE
                    message shouldContain "process ${process.pid()}"
                }
            }
            driver.open("file:$path").close()
        }

    "a file that another JVM has open is refused, and free again when that JVM is killed" {
        val path = scratchFile(1 shl 20)
        heldElsewhere("file:$path") { process ->
            refusal("file:$path").run {
                reason() shouldBe Reason.IN_USE
                message shouldContain "process ${process.pid()}"
            }
            process.destroyForcibly().waitFor()
            driver.open("file:$path").close()
        }
    }

    "an open file keeps other processes out".config(enabledOrReasonIf = needs("flock")) {
        val path = scratchFile(1 shl 20)

        fun lock() = ProcessBuilder("flock", "--nonblock", "$path", "true").start().waitFor()
        driver.open("file:$path").use { lock() shouldBe 1 }
        lock() shouldBe 0
    }

    "a file under a writable loop device is refused with the way out, under a read-only one it is not"
        .config(enabledOrReasonIf = needs(Peers.LOOP)) {
            val path = scratchFile(1 shl 20)
            LoopDevice(path).use { loop ->
                refusal("file:$path").run {
                    reason() shouldBe Reason.IN_USE
                    remedy() shouldContain "losetup -d ${loop.path}"
                }
            }
            LoopDevice(path, "--read-only").use { driver.open("file:$path").close() }
        }

    "a file on a read-only file system opens for reading only".config(enabledOrReasonIf = needs(Peers.ROOT)) {
        mounted("size=2m") { directory ->
            val path = scratchFile(1 shl 20, directory = directory)
            run("mount", "-o", "remount,ro", "$directory")
            refusal("file:$path").reason() shouldBe Reason.READ_ONLY
            driver.open("file:$path", OpenOptions.READ_ONLY).use { it.read(ByteBuffer.allocate(512), 0) }
        }
    }

    "a full file system under a sparse file is out of space, and what was there stays readable"
        .config(enabledOrReasonIf = needs(Peers.ROOT)) {
            mounted("size=1m") { directory ->
                val path = scratchFile(8 shl 20, directory = directory)
                driver.open("file:$path").use { device ->
                    val marked = ByteBuffer.wrap(ByteArray(4096) { 7 })
                    device.write(marked, 0)
                    val source = ByteBuffer.allocate(2 shl 20)
                    shouldThrow<OutOfSpaceException> { device.write(source, 4 shl 20) }
                    source.position() shouldBe 0
                    device.isOnline shouldBe true
                    device.bytes(0, 4096) shouldBe marked.array()
                }
            }
        }

    "where nothing bypasses the page cache a file is served buffered, and the device says so"
        .config(enabledOrReasonIf = needs(Peers.ROOT, Peers.LOOP, "mkfs.ext4")) {
            fun serves(directory: Path) {
                driver.open("file:${scratchFile(1 shl 20, directory = directory)}").use { device ->
                    device.info().directIo() shouldBe false
                    device.write(ByteBuffer.wrap(ByteArray(512) { 1 }), 512)
                    device.bytes(512, 512).all { it == 1.toByte() } shouldBe true
                }
            }
            mounted("size=2m", block = ::serves)
            val image = scratchFile(16 shl 20)
            run("mkfs.ext4", "-q", "$image")
            mounted("loop,data=journal", "ext4", "$image", ::serves)
        }

    "a file that was cut short reads as a medium error from there on" {
        val path = scratchFile(1 shl 20)
        for (options in listOf(OpenOptions.DEFAULT, OpenOptions(false, false))) {
            truncate(path, 1 shl 20)
            driver.open("file:$path", options).use { device ->
                truncate(path, 64 shl 10)
                device.read(ByteBuffer.allocate(64 shl 10), 0)
                val target = ByteBuffer.allocateDirect(128 shl 10)
                shouldThrow<MediumErrorException> { device.read(target, 0) }.run {
                    offset() shouldBe (64 shl 10)
                    length() shouldBe (64 shl 10)
                }
                target.position() shouldBe 0
                device.allocation(0, 128 shl 10).last() shouldBe Extent(64 shl 10, 64 shl 10, false)
            }
        }
    }

    "holes are told, and discarding makes one" {
        driver.open("file:${scratchFile(4 shl 20)}").use { device ->
            device.write(ByteBuffer.allocate(64 shl 10), 1 shl 20)
            device.flush()
            device.allocation(0, 4 shl 20) shouldBe listOf(
                Extent(0, 1 shl 20, true),
                Extent(1 shl 20, 64 shl 10, false),
                Extent((1 shl 20) + (64 shl 10), (3 shl 20) - (64 shl 10), true),
            )
            device.discard(1 shl 20, 64 shl 10)
            device.allocation(0, 4 shl 20) shouldBe listOf(Extent(0, 4 shl 20, true))
        }
    }
})

private fun truncate(path: Path, size: Long) {
    java.io.RandomAccessFile(path.toFile(), "rw").use { it.setLength(size) }
}

/** Runs [block] while another process, flock(1), has the file locked. */
private fun locking(path: Path, block: (Process) -> Unit) {
    val process = ProcessBuilder("flock", "--no-fork", "$path", "sh", "-c", "echo locked; cat").start()
    try {
        process.inputReader().readLine() shouldBe "locked"
        block(process)
    } finally {
        process.outputStream.close()
        process.waitFor()
    }
}

/** Runs [block] where a file system, a fresh tmpfs unless told otherwise, is mounted. */
internal fun mounted(options: String, type: String = "tmpfs", source: String = "tmpfs", block: (Path) -> Unit) {
    val directory = scratchDirectory()
    run("mount", "-t", type, "-o", options, source, "$directory")
    try {
        block(directory)
    } finally {
        run("umount", "$directory")
    }
}
