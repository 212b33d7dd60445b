package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.CriticalWarning
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.epoch
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.byte
import io.kotest.property.arbitrary.byteArray
import io.kotest.property.arbitrary.constant
import io.kotest.property.arbitrary.filterNot
import io.kotest.property.arbitrary.int
import io.kotest.property.checkAll

class NvmeHealthLogParserSpec : StringSpec({
    fun log(vararg fields: Pair<Int, String>) = ByteArray(512).also { bytes ->
        for ((at, hex) in fields) hex.replace(" ", "").hexToByteArray().copyInto(bytes, at)
    }
    val golden = log(
        0 to "05 3d01 08 0a 61",
        32 to "e803000000000000 0000000000000000",
        48 to "d007000000000000 0000000000000000",
        112 to "4600000000000000",
        128 to "a023000000000000",
        144 to "2100000000000000",
        160 to "0600000000000000",
        200 to "4001 4a01",
    )

    "every figure is where the specification has it" {
        NvmeHealthLogParser.parse(golden, epoch) shouldBe HealthReading(
            time = epoch,
            sources = setOf(HealthSource.NVME_LOG),
            criticalWarning = setOf(CriticalWarning.SPARE_LOW, CriticalWarning.RELIABILITY),
            temperature = 44,
            availableSpare = 8,
            spareThreshold = 10,
            percentageUsed = 97,
            mediaErrors = 6,
            unsafeShutdowns = 33,
            powerOnHours = 9120,
            bytesRead = 512_000_000,
            bytesWritten = 1_024_000_000,
        )
    }

    "each bit of the critical warning has its meaning, and two have none" {
        for (warning in CriticalWarning.entries) {
            val bytes = golden.copyOf().also { it[0] = (1 shl warning.ordinal).toByte() }
            NvmeHealthLogParser.parse(bytes, epoch).criticalWarning shouldBe setOf(warning)
        }
        val reserved = golden.copyOf().also { it[0] = 0xc0.toByte() }
        NvmeHealthLogParser.parse(reserved, epoch).criticalWarning shouldBe emptySet()
    }

    "counters too large for a Long are the largest" {
        val reading = NvmeHealthLogParser.parse(
            log(
                32 to "0000000000000080 0000000000000000",
                48 to "ffffffffffffff00 0000000000000000",
                128 to "0000000000000000 0100000000000000",
                144 to "ffffffffffffff7f 0000000000000000",
            ),
            epoch,
        )
        reading.bytesRead shouldBe Long.MAX_VALUE
        reading.bytesWritten shouldBe Long.MAX_VALUE
        reading.powerOnHours shouldBe Long.MAX_VALUE
        reading.unsafeShutdowns shouldBe Long.MAX_VALUE
    }

    "what was not measured or cannot be is absent" {
        val reading = NvmeHealthLogParser.parse(log(3 to "65 ff"), epoch)
        reading.temperature.shouldBeNull()
        reading.availableSpare.shouldBeNull()
        reading.spareThreshold.shouldBeNull()
    }

    "it may be below freezing" {
        NvmeHealthLogParser.parse(log(1 to "0801"), epoch).temperature shouldBe -9
    }

    "the ones of a dead link, or another length, are no log" {
        shouldThrow<NvmeFormatException> { NvmeHealthLogParser.parse(ByteArray(512) { -1 }, epoch) }
        shouldThrow<NvmeFormatException> { NvmeHealthLogParser.parse(ByteArray(511), epoch) }
    }

    "any 512 bytes but ones make a reading with figures that can be" {
        val logs = Arb.byteArray(Arb.constant(512), Arb.byte()).filterNot { bytes -> bytes.all { it == (-1).toByte() } }
        checkAll(2000, logs) { bytes ->
            val reading = NvmeHealthLogParser.parse(bytes, epoch)
            reading.availableSpare?.shouldBeInRange(0..100)
            reading.percentageUsed?.shouldBeInRange(0..255)
            listOf(reading.bytesRead, reading.bytesWritten, reading.mediaErrors).forEach { (it!! >= 0) shouldBe true }
        }
    }

    "any bytes make a reading or the parser's own error" {
        checkAll(500, Arb.byteArray(Arb.int(0..600), Arb.byte())) { bytes ->
            try {
                NvmeHealthLogParser.parse(bytes, epoch)
            } catch (_: NvmeFormatException) {
            }
            try {
                NvmeHealthLogParser.limits(bytes.copyOf(bytes.size * 8))
            } catch (_: NvmeFormatException) {
            }
        }
    }

    "the controller's own limits of temperature are in Identify Controller, or not at all" {
        val controller = ByteArray(4096)
        NvmeHealthLogParser.limits(controller) shouldBe (null to null)
        "57015c01".hexToByteArray().copyInto(controller, 266)
        NvmeHealthLogParser.limits(controller) shouldBe (70 to 75)
    }
})
