package dev.arraywright.kernel.machine

import dev.arraywright.spi.device.StorageAddress
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import java.nio.file.Files

class PlacesSpec : StringSpec({
    val machine = FakeSight()
    machine.plug("/dev/aw-one")
    val disk = machine.at("/dev/aw-one")
    machine.plug("/dev/aw-one-p1", of = disk)
    machine.plug("/dev/aw-one-p2", of = disk)
    val places = Places(machine)

    fun block(path: String) = StorageAddress.Block(path)

    "two partitions of a disk are one medium, and the disk's warning is theirs" {
        places.medium(block("/dev/aw-one-p1")) shouldBe places.medium(block("/dev/aw-one-p2"))
        places.medium(block("/dev/aw-one")) shouldBe disk.id.toString()
        machine.warnings[disk.id] = "worn out"
        places.warning(block("/dev/aw-one-p2")) shouldBe "worn out"
    }

    "what is no block device, or not there, is nowhere" {
        places.device(StorageAddress.File("/dev/aw-one")).shouldBeNull()
        places.medium(block("/dev/aw-two")).shouldBeNull()
        Places(Blind).device(block("/dev/aw-one")).shouldBeNull()
    }

    "a link leads to the device where it led, also when both are gone" {
        val home = tempdir().toPath().toRealPath()
        val file = Files.createFile(home.resolve("disk"))
        val link = Files.createSymbolicLink(home.resolve("by-id"), file)
        machine.plug("$file")
        places.device(block("$link"))!!.path shouldBe "$file"
        Files.delete(link)
        Files.delete(file)
        places.leads(block("$link"), "$file") shouldBe true
        places.leads(block("$link"), "/dev/aw-one") shouldBe false
    }

    "only block devices are awaited, and only by who watches" {
        places.watches(block("/dev/aw-three")) shouldBe true
        places.watches(StorageAddress.File("/aw")) shouldBe false
        Places(Blind).watches(block("/dev/aw-three")) shouldBe false
    }
})
