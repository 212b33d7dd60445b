package dev.arraywright.hardware.tree

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.io.path.writeText

class SystemTreeSpec : StringSpec({
    val root = TreeFixture.write(
        listOf(
            "sys/block/sda -> ../devices/pci0/host0/sda",
            "sys/devices/pci0/host0/sda/size = 2048\\n",
            "sys/devices/pci0/host0/sda/model = A model\\twith a tab   \\n",
            "sys/devices/pci0/host0/sda/empty = ",
            "sys/devices/pci0/host0/sda/raw = base64:AP8=",
            "sys/devices/pci0/host0/sda/power/",
            "sys/devices/pci0/host0/driver -> ../../../bus/pci/drivers/ahci",
            "sys/escape -> ../..",
        ),
    )
    val sys = SystemTree(root.resolve("sys"))

    "texts are trimmed, and an empty one is none" {
        sys.text("block/sda/model") shouldBe "A model\twith a tab"
        sys.text("block/sda/empty").shouldBeNull()
        sys.long("block/sda/size") shouldBe 2048
        sys.bytes("block/sda/raw") shouldBe byteArrayOf(0, -1)
    }

    "an attribute is the text that one read gives, however long" {
        for (name in listOf("size", "model", "empty", "power", "none")) {
            sys.attribute("block/sda/$name") shouldBe sys.text("block/sda/$name")
        }
        sys.attributeBytes("block/sda/raw") shouldBe byteArrayOf(0, -1)
        val long = " a".repeat(5000)
        root.resolve("sys/long").writeText("\n$long ")
        sys.attribute("long") shouldBe long.trim()
        sys.attributeBytes("long")!!.size shouldBe long.length + 2
    }

    "what is not there, a directory, or no number is absent" {
        sys.text("block/sdb/model").shouldBeNull()
        sys.text("block/sda/power").shouldBeNull()
        sys.long("block/sda/model").shouldBeNull()
        sys.names("block/sda/size") shouldBe emptyList()
        sys.lines("no\u0000where") shouldBe emptyList()
        sys.linkName("no\u0000where").shouldBeNull()
        sys.real("no\u0000where").shouldBeNull()
    }

    "links are named and followed, but not out of the tree" {
        sys.linkName("devices/pci0/host0/driver") shouldBe "ahci"
        sys.linkName("block/sda/size").shouldBeNull()
        sys.real("block/sda") shouldBe "devices/pci0/host0/sda"
        sys.real("escape").shouldBeNull()
        sys.names("block/sda").shouldContainExactly("empty", "model", "power", "raw", "size")
    }

    "it says why something is absent" {
        sys.why("block/sda/size").shouldBeNull()
        sys.why("block/sdb")!! shouldContain "there is no"
    }
})
