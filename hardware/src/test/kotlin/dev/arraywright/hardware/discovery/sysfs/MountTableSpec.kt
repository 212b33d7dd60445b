package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceTree
import dev.arraywright.hardware.discovery.Look
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.kotest.property.checkAll
import kotlin.io.path.writeText

class MountTableSpec : StringSpec({
    fun disk(number: String, file: String, vararg names: String) =
        Node("devices/x/block/$file", Node.Kind.BLOCK, file = file, number = number, names = names.asList())

    "mounts are found by number, and by source where the number is the file system's own" {
        val lines = listOf(
            "36 35 8:1 / /a\\040b rw shared:1 master:2 - ext4 /dev/root rw",
            "37 35 0:45 /@ /backup rw - btrfs /dev/mapper/vg-back\\040up rw",
            "38 35 0:46 / /proc rw - proc proc rw",
            "39 35 8:1 /sub /c rw - ext4 /dev/root rw",
        )
        val table = MountTable(MountFacts(lines.joinToString("\n"), listOf("/dev/sdb2", "/file")))
        table.of(disk("8:1", "sda1")) shouldBe listOf("/a b", "/c")
        table.of(disk("253:0", "dm-0", "mapper/vg-back up")) shouldBe listOf("/backup")
        table.of(disk("8:18", "sdb2")) shouldBe listOf("swap")
        table.of(disk("8:2", "sda2")) shouldBe emptyList()
    }

    "a file system on several devices is on each" {
        val table = MountTable(MountFacts("", emptyList(), listOf(listOf("sda", "sdb"), listOf("sdc"))))
        table.together("sda") shouldBe listOf("sdb")
        table.together("sdx") shouldBe emptyList()
    }

    "the table is made anew for another mount or swap, not for what is used of one" {
        val tree = DeviceTree()

        fun swaps(text: String) = tree.proc.resolve("swaps").writeText("Filename Type Size Used Priority\n$text")
        var sight = tree.probe().look(Look()) as SysfsSight

        suspend fun again(): MountTable =
            (tree.probe().look(Look(sight)) as SysfsSight).also { sight = it }.mounts
        tree.mount("8:1", "/a")
        swaps("/dev/sdb2 partition 9 0 -2\n")
        val first = again()
        swaps("/dev/sdb2 partition 9 5 -2\n")
        again() shouldBeSameInstanceAs first
        tree.mount("8:1", "/b")
        val second = again()
        second.of(disk("8:1", "sda1")) shouldBe listOf("/b")
        swaps("")
        again().of(disk("8:18", "sdb2")).shouldBeEmpty()
        second.of(disk("8:18", "sdb2")) shouldBe listOf("swap")
    }

    "a unit serial number is read from its page, whatever the page" {
        VitalProduct.serial(byteArrayOf(0, 0x80.toByte(), 0, 4) + "WD-1 trailing".encodeToByteArray()) shouldBe "WD-1"
        VitalProduct.serial(byteArrayOf(0, 0x80.toByte(), 0, 99) + " X ".encodeToByteArray()) shouldBe "X"
        VitalProduct.serial(byteArrayOf(0, 0x83.toByte(), 0, 4, 65, 65, 65, 65)).shouldBeNull()
        VitalProduct.serial(byteArrayOf(0, 0x80.toByte())).shouldBeNull()
        checkAll<ByteArray> { VitalProduct.serial(it) }
    }

    "a SCSI device's inquiry tells what it is, whatever it holds" {
        val header = byteArrayOf(0, 0x80.toByte(), 6, 2, 31, 0, 0, 0)
        val told = Inquiry.parse(header + "SanDisk Ultra\u0000rubbish   1.00and more".encodeToByteArray())!!
        told.vendor shouldBe "SanDisk"
        told.model shouldBe "Ultra"
        told.revision shouldBe "1.00"
        told.removable shouldBe true
        Inquiry.parse(header + "SEAGATE ".repeat(3).encodeToByteArray()).shouldBeNull()
        checkAll<ByteArray> { Inquiry.parse(it) }
        checkAll<ByteArray> { Inquiry.parse(header + ByteArray(28) + it)!!.model.shouldBeNull() }
    }
})
