package dev.arraywright.hardware.device.claim

import dev.arraywright.hardware.device.LoopDevice
import dev.arraywright.hardware.device.needs
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.hardware.linux.DeviceNumber
import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.hardware.tree.TreeFixture
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.writeBytes

class HoldersSpec : StringSpec({
    fun holder(number: DeviceNumber, vararg entries: String): String? {
        val root = TreeFixture.write(entries.toList())
        return Holders(root.resolve("sys"), root.resolve("proc")).ofBlock(number)
    }

    fun mounted(line: String) = holder(DeviceNumber(8, 1), "proc/self/mountinfo = not a mount\\n$line\\n")

    "a device is mounted where its number says, under the name that people gave" {
        mounted("36 35 8:1 / /a\\\\040b\\\\011\\\\134c rw shared:1 - ext4 /dev/none rw") shouldBe "mounted at /a b\t\\c"
        mounted("36 35 8:17 / /a rw - ext4 /dev/none rw").shouldBeNull()
    }

    "what the kernel mounted or swaps by a name with blanks is found by it".config(
        enabledOrReasonIf = needs(Peers.LOOP),
    ) {
        val file = scratchFile(1 shl 20)
        LoopDevice(file).use { loop ->
            val number = FileStatus.of(loop.path).represents
            val link = file.resolveSibling("a disk").createSymbolicLinkPointingTo(file.fileSystem.getPath(loop.path))
            val name = "$link".replace(" ", "\\\\040")
            holder(number, "proc/swaps = Filename Type Size Used Priority\\n$name partition 1 0 -2\\n") shouldBe
                "in use as swap"
            holder(number, "proc/self/mountinfo = 30 27 0:45 /@ /b rw - btrfs ${loop.path} rw\\n") shouldBe
                "mounted at /b"
            val other = holder(number, "proc/self/mountinfo = 30 27 0:45 / ${loop.path} rw - tmpfs none rw\\n")
            other.shouldBeNull()
        }
    }

    "a mount that the kernel writes in another character set hides no other" {
        val root = TreeFixture.write(listOf("proc/self/"))
        val latin = "1 2 8:2 / /".toByteArray() + 0xe4.toByte()
        val lines = latin + " rw - ext4 x rw\n3 2 8:1 / /b rw - ext4 x rw\n".toByteArray()
        root.resolve("proc/self/mountinfo").writeBytes(lines)
        Holders(root.resolve("sys"), root.resolve("proc")).ofBlock(DeviceNumber(8, 1)) shouldBe "mounted at /b"
    }
})
