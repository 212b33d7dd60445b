package dev.arraywright.hardware.device.block

import dev.arraywright.hardware.device.LoopDevice
import dev.arraywright.hardware.device.bytes
import dev.arraywright.hardware.device.file.FileDriver
import dev.arraywright.hardware.device.heldElsewhere
import dev.arraywright.hardware.device.needs
import dev.arraywright.hardware.device.open
import dev.arraywright.hardware.device.ready
import dev.arraywright.hardware.device.run
import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.hardware.linux.DeviceNumber
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.writeText

class BlockSpecialDriverSpec : StringSpec({
    val driver = BlockSpecialDriver().ready()
    val files = FileDriver().ready()
    val loops = needs(Peers.LOOP)

    fun refusal(address: String, options: OpenOptions = OpenOptions.DEFAULT): DriverException =
        shouldThrow<DriverException> { driver.open(address, options).close() }

    "what is no block device is refused" {
        refusal("block:${scratchFile(4096)}").remedy() shouldContain "file:"
        refusal("block:/dev/null").reason() shouldBe Reason.UNSUPPORTED
        refusal("block:/dev/none").reason() shouldBe Reason.NOT_FOUND
        refusal("file:/dev/none").reason() shouldBe Reason.UNSUPPORTED
    }

    "a loop device tells its size, sectors and kind".config(enabledOrReasonIf = loops) {
        LoopDevice(scratchFile(1 shl 20), "--sector-size", "4096").use { loop ->
            driver.open("block:${loop.path}").use { device ->
                device.info().size() shouldBe (1 shl 20)
                device.info().logicalBlockSize() shouldBe 4096
                device.info().type() shouldBe DeviceType.LOOP
                device.info().directIo() shouldBe true
                device.info().id() shouldBe "block:${loop.path}"
            }
        }
    }

    "a device is open once for writing, by us or by another process".config(enabledOrReasonIf = loops) {
        LoopDevice(scratchFile(1 shl 20)).use { loop ->
            val node = scratchDirectory().resolve("node").createSymbolicLinkPointingTo(Path.of(loop.path))
            driver.open("block:${loop.path}").use {
                refusal("block:$node").run {
                    reason() shouldBe Reason.IN_USE
                    message shouldContain "block:${loop.path}"
                }
            }
            heldElsewhere("block:${loop.path}") { process ->
                refusal("block:${loop.path}").run {
                    reason() shouldBe Reason.IN_USE
                    message shouldContain "process ${process.pid()}"
                }
            }
            driver.open("block:${loop.path}").close()
        }
    }

    "a mounted device is refused with its mount point, but can be read".config(enabledOrReasonIf = loops) {
        val file = scratchFile(4 shl 20)
        run("mkfs.ext4", "-q", "$file")
        LoopDevice(file).use { loop ->
            val directory = scratchDirectory()
            run("mount", loop.path, "$directory")
            try {
                refusal("block:${loop.path}").message shouldContain "mounted at $directory"
                driver.open("block:${loop.path}", OpenOptions.READ_ONLY).use { it.read(ByteBuffer.allocate(512), 0) }
            } finally {
                run("umount", "$directory")
            }
        }
    }

    "a loop device over a file that is open as a device is refused".config(enabledOrReasonIf = loops) {
        val path = scratchFile(1 shl 20)
        files.open("file:$path").use {
            LoopDevice(path).use { loop ->
                refusal("block:${loop.path}").run {
                    reason() shouldBe Reason.IN_USE
                    message shouldContain "file:$path"
                }
            }
        }
    }

    "a read-only device opens for reading only".config(enabledOrReasonIf = loops) {
        LoopDevice(scratchFile(1 shl 20), "--read-only").use { loop ->
            refusal("block:${loop.path}").reason() shouldBe Reason.READ_ONLY
            driver.open("block:${loop.path}", OpenOptions.READ_ONLY).use { it.read(ByteBuffer.allocate(512), 0) }
        }
    }

    "a loop device without a file has no medium".config(enabledOrReasonIf = loops) {
        val free = run("losetup", "--find").stdout().trim()
        refusal("block:$free").reason() shouldBe Reason.INVALID
    }

    "a medium error names the range that cannot be read, to the block".config(enabledOrReasonIf = loops) {
        val path = scratchFile(1 shl 20)
        LoopDevice(path).use { loop ->
            driver.open("block:${loop.path}").use { device ->
                device.write(ByteBuffer.wrap(ByteArray(1 shl 20) { 1 }), 0)
                RandomAccessFile(path.toFile(), "rw").use { it.setLength(512 shl 10) }
                val target = ByteBuffer.allocate(128 shl 10)
                shouldThrow<MediumErrorException> { device.read(target, 448 shl 10) }.run {
                    offset() shouldBe (512 shl 10)
                    length() shouldBe (64 shl 10)
                }
                target.position() shouldBe 0
                device.isOnline shouldBe true
                device.bytes(508 shl 10, 4096).all { it == 1.toByte() } shouldBe true
            }
        }
    }

    "identity comes from sysfs, a partition's from its disk" {
        val sys = scratchDirectory()
        val disk = sys.resolve("devices/pci0/block/sdx")
        disk.resolve("device").createDirectories()
        disk.resolve("queue").createDirectories().resolve("rotational").writeText("1\n")
        disk.resolve("device/model").writeText("WDC WD40EFRX   \n")
        disk.resolve("device/wwid").writeText("naa.50014ee2b0000000\n")
        disk.resolve("device/numa_node").writeText("1\n")
        disk.resolve("sdx2").createDirectories().resolve("partition").writeText("2\n")
        sys.resolve("dev/block").createDirectories()
        sys.resolve("dev/block/8:0").createSymbolicLinkPointingTo(disk)
        sys.resolve("dev/block/8:2").createSymbolicLinkPointingTo(disk.resolve("sdx2"))
        BlockIdentity.of(DeviceNumber(8, 0), "block:/dev/sdx", sys) shouldBe
            BlockIdentity("block:naa.50014ee2b0000000", "WDC WD40EFRX", "", DeviceType.HDD, 1)
        BlockIdentity.of(DeviceNumber(8, 2), "block:/dev/sdx2", sys).id shouldBe "block:naa.50014ee2b0000000-part2"
        disk.resolve("device/wwid").writeText("naa.0000000000000000\n")
        BlockIdentity.of(DeviceNumber(8, 0), "block:/dev/sdx", sys).id shouldBe "block:/dev/sdx"
        BlockIdentity.of(DeviceNumber(9, 0), "block:/dev/md0", sys) shouldBe
            BlockIdentity("block:/dev/md0", "", "", DeviceType.VIRTUAL, -1)
    }
})
