package dev.arraywright.hardware.discovery

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll

class DeviceNamesSpec : StringSpec({
    "a world-wide name is one word, and zeros are none" {
        DeviceNames.wwid("naa.5000c500a0000001\n") shouldBe "naa.5000c500a0000001"
        DeviceNames.wwid("t10.ATA     QEMU HARDDISK    QM00001 ") shouldBe "t10.ATA_QEMU_HARDDISK_QM00001"
        for (junk in listOf(
            null,
            "",
            "  ",
            "naa.",
            "eui.0000000000000000",
            "naa.0000",
            "uuid.00000000-0000-0000",
            "eui.ffffffffffffffff",
        )) {
            DeviceNames.wwid(junk).shouldBeNull()
        }
    }

    "serial numbers that many devices share are none" {
        DeviceNames.serial("  WD-1 ") shouldBe "WD-1"
        for (junk in listOf(null, "", "000000", "None", "N/A")) DeviceNames.serial(junk).shouldBeNull()
        DeviceNames.modelSerial("A  disk", "S 1") shouldBe "A_disk-S_1"
        DeviceNames.modelSerial(null, "S1") shouldBe "S1"
    }

    "names never have white space or control characters in them" {
        checkAll(Arb.string(0..60)) { text ->
            DeviceNames.joined(text).none { it.isWhitespace() || it.isISOControl() } shouldBe true
            DeviceNames.wwid(text)?.let { DeviceNames.wwid(it) shouldBe it }
        }
    }

    "an id is what it prints" {
        val id = DeviceId(DeviceId.Kind.WWN, "naa.5000c500a0000001-part2")
        id.toString() shouldBe "wwn:naa.5000c500a0000001-part2"
        DeviceId.parse("$id") shouldBe id
        DeviceId.parse("path:pci-0000:5e:00.0-scsi-0:1:0") shouldBe
            DeviceId(DeviceId.Kind.PATH, "pci-0000:5e:00.0-scsi-0:1:0")
        for (other in listOf("", "wwn", "wwn:", "dev:sda", ":x")) DeviceId.parse(other).shouldBeNull()
    }
})
