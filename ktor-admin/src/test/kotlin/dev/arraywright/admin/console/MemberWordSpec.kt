package dev.arraywright.admin.console

import dev.arraywright.spi.device.AddressSyntaxException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.nio.file.Path

class MemberWordSpec : StringSpec({
    val here = Path.of("").toAbsolutePath()

    "a path becomes the address of a file, from the working directory on" {
        MemberWord.address("/srv/a b/../m0.img") shouldBe "file:/srv/m0.img"
        MemberWord.address("m0.img") shouldBe "file:$here/m0.img"
        MemberWord.address("/srv/a b.img") shouldBe "file:/srv/a%20b.img"
    }

    "what is not there is a disk that may come where disks are, else a file" {
        MemberWord.address("/dev/nosuch9n9") shouldBe "block:/dev/nosuch9n9"
        MemberWord.address("/dev/disk/by-id/nosuch") shouldBe "block:/dev/disk/by-id/nosuch"
        MemberWord.address("/dev/shm/nosuch.img") shouldBe "file:/dev/shm/nosuch.img"
        MemberWord.address("/device/nosuch.img") shouldBe "file:/device/nosuch.img"
    }

    "an address stays what it is" {
        MemberWord.address("nbd://host:10810/vault") shouldBe "nbd://host:10810/vault"
        MemberWord.address("block:/dev/sdb") shouldBe "block:/dev/sdb"
    }

    "a wrong address is refused, not taken for a path" {
        shouldThrow<AddressSyntaxException> { MemberWord.address("nbd://") }
    }

    "a bare word that is no file here names an array" {
        MemberWord.meansMember("vault") shouldBe false
        MemberWord.meansMember("./vault") shouldBe true
        MemberWord.meansMember("file:/vault") shouldBe true
        MemberWord.meansMember("pom.xml") shouldBe true
    }

    "a place to scan stays a path" {
        MemberWord.place("x") shouldBe "$here/x"
        MemberWord.place("block:/dev/sdb") shouldBe "block:/dev/sdb"
    }
})
