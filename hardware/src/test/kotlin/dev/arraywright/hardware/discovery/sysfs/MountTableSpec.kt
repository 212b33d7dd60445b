package dev.arraywright.hardware.discovery.sysfs

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.filter
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.map
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll

class MountTableSpec : StringSpec({
    fun disk(number: String, file: String, vararg names: String) =
        Node("devices/x/block/$file", Node.Kind.BLOCK, file = file, number = number, names = names.asList())

    "mounts are found by number, and by source where the number is the file system's own" {
        val table = MountTable(
            listOf(
                "36 35 8:1 / /a\\040b rw shared:1 master:2 - ext4 /dev/root rw",
                "37 35 0:45 /@ /backup rw - btrfs /dev/mapper/vg-back\\040up rw",
                "38 35 0:46 / /proc rw - proc proc rw",
                "39 35 8:1 /sub /c rw - ext4 /dev/root rw",
            ),
            listOf("Filename Type Size Used Priority", "/dev/sdb2\t\tpartition\t1 0 -2", "/file file 1 0 -3"),
        )
        table.of(disk("8:1", "sda1")) shouldBe listOf("/a b", "/c")
        table.of(disk("253:0", "dm-0", "mapper/vg-back up")) shouldBe listOf("/backup")
        table.of(disk("8:18", "sdb2")) shouldBe listOf("swap")
        table.of(disk("8:2", "sda2")) shouldBe emptyList()
    }

    "a file system on several devices is on each" {
        val table = MountTable(emptyList(), emptyList(), listOf(listOf("sda", "sdb"), listOf("sdc")))
        table.together("sda") shouldBe listOf("sdb")
        table.together("sdx") shouldBe emptyList()
    }

    "escapes are bytes of UTF-8, and what is no escape stays" {
        MountParser.unescaped("a\\040b\\134c\\011\\012") shouldBe "a b\\c\t\n"
        MountParser.unescaped("\\303\\244") shouldBe "ä"
        MountParser.unescaped("\\04 \\9 \\777 \\") shouldBe "\\04 \\9 \\777 \\"
    }

    "lines of another form are none" {
        for (line in listOf(
            "",
            "36 35 8:1 / /a rw",
            "36 35 8:1 / /a rw - ext4",
            "36 35 8 / /a rw - ext4 x rw",
            "36 35 : / /a rw - e x rw",
        )) {
            MountParser.mount(line).shouldBeNull()
        }
        MountParser.swap("Filename\t\t\tType\tSize\tUsed\tPriority").shouldBeNull()
        MountParser.swap("/dev/sda").shouldBeNull()
    }

    "no text is too much for it" {
        checkAll(Arb.string(0..200)) { text ->
            MountParser.mount(text)
            MountParser.swap(text)
            MountParser.unescaped(text)
        }
    }

    "a damaged line is none or still a mount" {
        val line = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
        checkAll(Arb.int(line.indices), Arb.int(0..300).map { it.toChar() }) { at, c ->
            MountParser.mount(line.replaceRange(at, at + 1, "$c"))?.number?.contains(':')
            MountParser.mount(line.take(at))
        }
    }

    "whatever a mount point is called, it is read back" {
        checkAll(Arb.string(1..40).filter { '\u0000' !in it }) { name ->
            val path = "/" + String(name.encodeToByteArray())
            val escaped = path.replace(
                "\\",
                "\\134",
            ).replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012")
            MountParser.mount("1 2 8:1 / $escaped rw - ext4 /dev/sda1 rw")!!.point shouldBe path
        }
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
