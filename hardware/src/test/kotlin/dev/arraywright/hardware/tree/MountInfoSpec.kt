package dev.arraywright.hardware.tree

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.choice
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.filter
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.map
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll

class MountInfoSpec : StringSpec({
    fun one(line: String) = MountInfoParser.parse(line).single()

    "the line that proc(5) explains has all its parts" {
        one("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue") shouldBe
            Mount(
                "98:0",
                "/mnt1",
                "/mnt2",
                listOf("rw", "noatime"),
                "ext3",
                "/dev/root",
                listOf("rw", "errors=continue"),
            )
    }

    "optional fields are none, or many, and a hyphen within one ends them not" {
        for (fields in listOf(
            "",
            "shared:1 ",
            "shared:1 master:2 propagate_from:3 unbindable ",
            "x-y:- -z a- shared:-1 ",
        )) {
            withClue(fields) { one("36 35 98:0 / /a-b rw $fields- ext4 /dev/x rw").source shouldBe "/dev/x" }
        }
        one("36 35 98:0 / /a rw - ext4 - rw") shouldBe
            Mount("98:0", "/", "/a", listOf("rw"), "ext4", "-", listOf("rw"))
    }

    "a file system may have no source, and old kernels' no options of its own" {
        one("36 35 0:9 / /a rw - tmpfs  rw,size=1g").run {
            source shouldBe ""
            superOption("size") shouldBe "1g"
        }
        one("36 35 0:9 / /a rw - tmpfs none").superOptions.shouldBeEmpty()
        one("36 35 259:1048575 / /a rw - ext4 /dev/x rw").number shouldBe "259:1048575"
    }

    "escapes are undone in every part, options' only after they were parted" {
        one("1 2 8:1 /r\\040s /a\\134b\\011c\\043 rw,x\\054y - fuse.a\\040b /dev/vg\\040up rw") shouldBe
            Mount("8:1", "/r s", "/a\\b\tc#", listOf("rw", "x,y"), "fuse.a b", "/dev/vg up", listOf("rw"))
    }

    "an overlay's directories are options of the file system" {
        val overlay = "33 22 0:60 / /merged rw - overlay overlay rw,lowerdir=/lo\\054w\\040er:/b,upperdir=/a=b,work"
        one(overlay).run {
            superOption("lowerdir") shouldBe "/lo,w er:/b"
            superOption("upperdir") shouldBe "/a=b"
            superOption("work").shouldBeNull()
            superOption("lower").shouldBeNull()
        }
    }

    "a btrfs has a number of its own, and its subvolume as root" {
        one("30 27 0:45 /@home /back\\040up/home rw,relatime - btrfs /dev/sda rw,subvol=/@home").run {
            number shouldBe "0:45"
            root shouldBe "/@home"
            point shouldBe "/back up/home"
            source shouldBe "/dev/sda"
        }
    }

    "a mount holds what is at it and below it, and no other that begins so" {
        val mount = one("1 2 8:1 / /srv rw - ext4 /dev/x rw")
        listOf("/srv", "/srv/a", "/srvx", "/").map(mount::holds) shouldBe listOf(true, true, false, false)
        one("1 2 8:1 / / rw - ext4 /dev/x rw").holds("/srvx") shouldBe true
    }

    "lines of another form are left out, and those beside them are not" {
        for (line in listOf(
            "",
            "not a mount",
            "36 35 8:1 / /a rw",
            "36 35 8:1 / /a rw shared:1 ext4 /dev/x rw",
            "36 35 8:1 / /a - ext4 /dev/x rw",
            "36 35 8:1 / /a rw - ext4",
            "36 35 8 / /a rw - ext4 x rw",
            "36 35 : / /a rw - e x rw",
            "36 35 8: / /a rw - e x rw",
            "36 35 :8 / /a rw - e x rw",
            "36 35 8:1:2 / /a rw - e x rw",
            "36 35 8:-1 / /a rw - e x rw",
        )) {
            withClue(line) {
                val good = "1 2 8:1 / /%d rw - ext4 /dev/x rw"
                MountInfoParser.parse("${good.format(1)}\n$line\n${good.format(2)}\n").map { it.point } shouldBe
                    listOf("/1", "/2")
            }
        }
    }

    "a kernel that shows no mounts has none" {
        MountInfoParser.own(SystemTree(TreeFixture.write(emptyList()))).shouldBeEmpty()
    }

    "no text is too much for it" {
        val words = Arb.element("36", "35", "0:50", "/", "-", "a\\040b", "\\777", "\\04", "overlay", "upperdir=/x", "")
        val lines = Arb.list(words, 0..14).map { it.joinToString(" ") }
        checkAll(5_000, Arb.choice(Arb.string(0..200), lines)) { text ->
            for (mount in MountInfoParser.parse(text)) mount.number.count { it == ':' } shouldBe 1
            SwapsParser.parse(text)
            unescaped(text)
        }
    }

    "damaged files of every tree are read as far as they go" {
        val trees = listOf("server", "kvm", "firecracker", "lab", "container", "podman", "qemu")
        val pieces = listOf("\n", " ", " - ", "-", ":", "\\", "\\04", "\\777", "\\000", ",", "0:", "99999999999:0", "")
        checkAll(3_000, damaged(trees, listOf("proc/self/mountinfo", "proc/swaps"), pieces)) { text ->
            for (mount in MountInfoParser.parse(text)) mount.number.count { it == ':' } shouldBe 1
            for (path in SwapsParser.parse(text)) path.first() shouldBe '/'
        }
    }

    "a damaged line is none or still a mount" {
        val line = "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
        checkAll(Arb.int(line.indices), Arb.int(0..300).map { it.toChar() }) { at, c ->
            val mounts = MountInfoParser.parse(
                line.replaceRange(at, at + 1, "$c"),
            ) + MountInfoParser.parse(line.take(at))
            for (mount in mounts) mount.number.all { it == ':' || it in '0'..'9' } shouldBe true
        }
    }

    "whatever a mount point is called, it is read back" {
        val odd = Arb.list(
            Arb.element(" ", "\t", "\n", "\r", "\\", "\\040", "-", "#", "ä", "€", "\u2028", "\u0085"),
            1..20,
        )
        val names = Arb.choice(Arb.string(1..40).filter { '\u0000' !in it }, odd.map { it.joinToString("") })
        checkAll(names) { name ->
            val path = "/" + String(name.encodeToByteArray())
            val escaped = path.replace(
                "\\",
                "\\134",
            ).replace(" ", "\\040").replace("\t", "\\011").replace("\n", "\\012")
            one("1 2 8:1 / $escaped rw - ext4 /dev/sda1 rw").point shouldBe path
            SwapsParser.parse("$escaped file 1 0 -2") shouldBe listOf(path)
        }
    }

    "escapes are bytes of UTF-8, and what is no escape stays" {
        unescaped("a\\040b\\134c\\011\\012") shouldBe "a b\\c\t\n"
        unescaped("\\303\\244") shouldBe "ä"
        unescaped("ä\\040€") shouldBe "ä €"
        unescaped("\\134040") shouldBe "\\040"
        unescaped("\\04 \\9 \\777 \\") shouldBe "\\04 \\9 \\777 \\"
    }

    "swaps are paths, in partitions and files, without their heading" {
        val text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" +
            "/dev/sdb2                               partition\t1048572\t\t0\t\t-2\n" +
            "/swap\\040file\\040(deleted) file 1 0 -3\n/dev/sda\nzram0 partition 1 0 5\n"
        SwapsParser.parse(text) shouldBe listOf("/dev/sdb2", "/swap file (deleted)")
    }

    "this machine's mounts are all read" {
        val text = SystemTree.PROC.raw("self/mountinfo").orEmpty()
        MountInfoParser.parse(text).size shouldBe text.count { it == '\n' }
    }
})
