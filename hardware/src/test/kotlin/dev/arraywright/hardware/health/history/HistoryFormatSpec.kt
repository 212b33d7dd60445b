package dev.arraywright.hardware.health.history

import dev.arraywright.hardware.health.epoch
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.property.Arb
import io.kotest.property.arbitrary.bind
import io.kotest.property.arbitrary.byte
import io.kotest.property.arbitrary.byteArray
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.arbitrary.orNull
import io.kotest.property.checkAll
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32C
import kotlin.time.Duration.Companion.hours

class HistoryFormatSpec : StringSpec({
    val now = epoch + 100.hours
    val history = HealthHistory.of(
        listOf(
            HealthSample(epoch, percentageUsed = 97, availableSpare = 8, temperature = -5, mediaErrors = 6),
            HealthSample(epoch + 1.hours, reallocatedSectors = 1, ioErrors = Long.MAX_VALUE),
        ),
        now,
    )
    val golden = """
        4157484541 4c5448 0100 2800 02000000 8923148a 0600 776e6e3a 3031
        80d8db7000000000 0600000000000000 ffffffffffffffff ffffffffffffffff 6100 0800 fbff 0000
        90e6db7000000000 ffffffffffffffff 0100000000000000 ffffffffffffff7f ffff ffff 0080 0000
    """.filterNot {
        it.isWhitespace()
    }

    fun sealed(bytes: ByteArray) = bytes.also {
        val crc = CRC32C()
        crc.update(it, 0, 16)
        crc.update(it, 20, it.size - 20)
        ByteBuffer.wrap(it).order(ByteOrder.LITTLE_ENDIAN).putInt(16, crc.value.toInt())
    }

    "a history is these bytes" {
        HistoryFormat.encode("wnn:01", history).toHexString() shouldBe golden
        HistoryFormat.parse(golden.hexToByteArray(), "wnn:01", now) shouldBe history
    }

    "what was written is read" {
        val sample = Arb.bind(
            Arb.long(0..10_000_000L),
            Arb.int(0..255).orNull(),
            Arb.int(-273..300).orNull(),
            Arb.long(0..Long.MAX_VALUE).orNull(),
        ) { seconds, used, temperature, count ->
            HealthSample(epoch + (seconds / 1000).hours, used, used?.rem(101), temperature, count, count, count)
        }
        checkAll(200, Arb.list(sample, 0..100)) { samples ->
            val late = epoch + 20_000.hours
            val some = HealthHistory.of(samples, late)
            HistoryFormat.parse(HistoryFormat.encode("a", some), "a", late) shouldBe some
        }
    }

    "any byte that differs is found" {
        val bytes = golden.hexToByteArray()
        for (i in bytes.indices) {
            val damaged = bytes.copyOf().also { it[i] = (it[i] + 1).toByte() }
            shouldThrow<HistoryFormatException> { HistoryFormat.parse(damaged, "wnn:01", now) }
        }
        for (size in bytes.indices) {
            shouldThrow<HistoryFormatException> { HistoryFormat.parse(bytes.copyOf(size), "wnn:01", now) }
        }
    }

    "another device's history, a later version, and another program's file are refused, saying so" {
        val bytes = golden.hexToByteArray()
        shouldThrow<HistoryFormatException> {
            HistoryFormat.parse(bytes, "wnn:02", now)
        }.message!! shouldContain "wnn:01"
        val later = sealed(bytes.copyOf().also { it[8] = 2 })
        shouldThrow<HistoryFormatException> {
            HistoryFormat.parse(later, "wnn:01", now)
        }.message!! shouldContain "version 2"
        val foreign = sealed(bytes.copyOf().also { it[0] = 0 })
        shouldThrow<HistoryFormatException> {
            HistoryFormat.parse(foreign, "wnn:01", now)
        }.message!! shouldContain "not a"
    }

    "any bytes under a right checksum make a history or the parser's own error" {
        val bytes = golden.hexToByteArray()
        checkAll(3000, Arb.list(Arb.int(bytes.indices), 1..6), Arb.byteArray(Arb.int(6..6), Arb.byte())) {
            places,
            values,
            ->
            val mutated = bytes.copyOf()
            places.forEachIndexed { i, at -> mutated[at] = values[i] }
            try {
                HistoryFormat.parse(sealed(mutated), "wnn:01", now)
            } catch (_: HistoryFormatException) {
            }
        }
    }

    "any bytes make the parser's own error" {
        checkAll(1000, Arb.byteArray(Arb.int(0..200), Arb.byte())) { bytes ->
            shouldThrow<HistoryFormatException> { HistoryFormat.parse(bytes, "wnn:01", now) }
        }
    }
})
