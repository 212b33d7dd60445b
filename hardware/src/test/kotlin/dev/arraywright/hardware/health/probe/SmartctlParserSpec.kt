package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.CriticalWarning
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.epoch
import dev.arraywright.hardware.health.resource
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.Codepoint
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.filter
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.printableAscii
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll

class SmartctlParserSpec : StringSpec({
    fun parse(name: String) = SmartctlParser.parse(resource("smartctl/$name.json"), epoch)
    val empty = HealthReading(epoch, setOf(HealthSource.SMARTCTL))

    "an ATA SSD: wear and spare by the maker's attributes, raw figures by what their text begins with" {
        val answer = parse("ata-ssd")
        answer.exit shouldBe 0
        answer.reading shouldBe empty.copy(
            passed = true,
            temperature = 34,
            powerOnHours = 21034,
            reallocatedSectors = 3,
            mediaErrors = 1,
            percentageUsed = 22,
            availableSpare = 98,
            spareThreshold = 10,
            unsafeShutdowns = 57,
            bytesWritten = 2_000_000L * 512,
        )
    }

    "an ATA disk with sectors that it cannot read" {
        parse("ata-hdd-pending").reading shouldBe empty.copy(
            passed = false,
            temperature = 41,
            warningTemperature = 60,
            powerOnHours = 48133,
            reallocatedSectors = 2208,
            pendingSectors = 16,
            uncorrectableSectors = 4,
            unsafeShutdowns = 19,
        )
    }

    "a SAS disk" {
        parse("sas").reading shouldBe empty.copy(
            passed = true,
            temperature = 38,
            criticalTemperature = 65,
            powerOnHours = 30211,
            reallocatedSectors = 12,
            percentageUsed = 4,
            mediaErrors = 3,
            bytesRead = 91_220_250_000_000,
            bytesWritten = 44_120_500_000_000,
        )
    }

    "an NVMe drive, with a count that no Long holds" {
        parse("nvme").reading shouldBe empty.copy(
            passed = true,
            criticalWarning = setOf(CriticalWarning.SPARE_LOW, CriticalWarning.RELIABILITY),
            temperature = 44,
            warningTemperature = 83,
            criticalTemperature = 87,
            availableSpare = 8,
            spareThreshold = 10,
            percentageUsed = 97,
            powerOnHours = 9120,
            unsafeShutdowns = 33,
            mediaErrors = 6,
            bytesRead = 512_000_000,
            bytesWritten = Long.MAX_VALUE,
        )
    }

    "a virtual disk tells nothing, and one that cannot be opened says why" {
        parse("virtual").run { supported to reading } shouldBe (false to empty)
        parse("open-failed").messages shouldBe listOf("Smartctl open device: /dev/sdz failed: No such device")
    }

    "what is no answer of smartctl's is its own error" {
        for (text in listOf("", "[]", "{}", "null", "{\"smartctl\":", "smartctl 7.4\n", "[".repeat(100_000))) {
            shouldThrow<SmartctlFormatException> { SmartctlParser.parse(text, epoch) }
        }
    }

    "any text makes an answer or the parser's own error" {
        checkAll(2000, Arb.string(0..200, Codepoint.printableAscii())) { text ->
            try {
                SmartctlParser.parse(text, epoch)
            } catch (_: SmartctlFormatException) {
            }
        }
    }

    "fields of any other form are as if they were not there" {
        val texts = listOf("ata-ssd", "ata-hdd-pending", "sas", "nvme").map { resource("smartctl/$it.json") }
        val values =
            listOf("null", "-1", "1e400", "\"x\"", "[]", "{}", "[[{\"id\":5}]]", "true", "18446744073709551616")
        val value = Regex("""(?<=:)("[^"]*"|-?\d+|true|false|\[[\d,]*])(?=[,}])""")
        checkAll(1000, Arb.element(texts), Arb.list(Arb.int(0..400), 1..8), Arb.element(values)) {
            text,
            places,
            other,
            ->
            var n = 0
            val mutated = value.replace(text) { if (n++ in places) other else it.value }
            try {
                SmartctlParser.parse(mutated, epoch)
            } catch (_: SmartctlFormatException) {
            }
        }
    }

    "a text that is cut anywhere makes an answer or the parser's own error" {
        val text = resource("smartctl/nvme.json")
        checkAll(300, Arb.int(0 until text.length).filter { it > 0 }) { length ->
            shouldThrow<SmartctlFormatException> {
                SmartctlParser.parse(text.take(length).trimEnd().removeSuffix("}"), epoch)
            }
        }
    }
})
