package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.event.ArrayStopped
import dev.arraywright.kernel.event.DeviceLeftOut
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.event
import dev.arraywright.kernel.event.samples
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import java.util.zip.CRC32C
import kotlin.random.Random

class JournalFormatSpec : StringSpec({
    fun encoded(event: KernelEvent): ByteArray = checkNotNull(JournalFormat.encode(event))

    fun line(payload: String, version: Char = JournalFormat.VERSION): ByteArray {
        val crc = CRC32C().apply { update(payload.encodeToByteArray()) }.value
        return "$version %08x $payload\n".format(crc).encodeToByteArray()
    }

    fun scanned(bytes: ByteArray): List<Scanned> =
        RecordScanner(bytes.inputStream()).let { scanner -> generateSequence(scanner::next).toList() }

    "these bytes are a record, for good" {
        val golden = """1 469529da {"sequence":17,"time":"2026-05-28T20:26:57Z","topic":"array.stopped",""" +
            """"message":"stopped","subject":"vault"}""" + "\n"
        encoded(event(17, ArrayStopped("vault"))).decodeToString() shouldBe golden
        JournalFormat.parse(golden.dropLast(1).encodeToByteArray()) shouldBe
            Parsed.Whole(event(17, ArrayStopped("vault")))
    }

    "the fields are where the table says" {
        val bytes = encoded(event(1, DeviceLeftOut("vault", "file:/m\n0", "line\nline")))
        bytes.count { it == '\n'.code.toByte() } shouldBe 1
        bytes.last() shouldBe '\n'.code.toByte()
        bytes[0] shouldBe '1'.code.toByte()
        bytes[1] shouldBe ' '.code.toByte()
        bytes[10] shouldBe ' '.code.toByte()
        bytes[11] shouldBe '{'.code.toByte()
        val crc = CRC32C().apply { update(bytes, 11, bytes.size - 12) }.value
        String(bytes, 2, 8) shouldBe "%08x".format(crc)
    }

    "a flipped bit anywhere is seen" {
        val whole = encoded(event(9, samples.first()))
        for (at in 0 until whole.size - 1) {
            for (bit in 0..7) {
                val bytes = whole.copyOf().also { it[at] = (it[at].toInt() xor (1 shl bit)).toByte() }
                withClue("bit $bit of byte $at") { scanned(bytes).none { it.parsed is Parsed.Whole } shouldBe true }
            }
        }
    }

    "a whole record of another version is newer, one that is not whole is bad" {
        val payload = """{"sequence":1}"""
        JournalFormat.parse(line(payload, '2').dropLast(1).toByteArray()).shouldBeInstanceOf<Parsed.Newer>()
        JournalFormat.parse(line(payload, '2').dropLast(2).toByteArray()).shouldBeInstanceOf<Parsed.Bad>()
    }

    for (payload in listOf(
        "",
        "null",
        "[".repeat(100_000),
        """{"a":""".repeat(100_000),
        """{"sequence":0,"time":"2026-05-28T20:26:44Z","topic":"array.stopped","subject":"v"}""",
        """{"sequence":9007199254740992,"time":"2026-05-28T20:26:44Z","topic":"array.stopped","subject":"v"}""",
    )) {
        "with a right checksum, ${payload.take(20)}… of ${payload.length} characters is no event all the same" {
            scanned(line(payload)).single().parsed.shouldBeInstanceOf<Parsed.Bad>()
        }
    }

    "brackets within text do not nest" {
        val event = event(5, ArrayStopped("vault", "[{\"\\".repeat(500)))
        scanned(encoded(event)).single().parsed shouldBe Parsed.Whole(event)
    }

    "a record that would be too long is not made, and a line that is too long is passed over" {
        JournalFormat.encode(event(1, ArrayStopped("vault", "x".repeat(JournalFormat.LONGEST)))) shouldBe null
        val next = encoded(event(2))
        val found = scanned(ByteArray(JournalFormat.LONGEST) { 'x'.code.toByte() } + '\n'.code.toByte() + next)
        (found[0].parsed as Parsed.Bad).why shouldContain "no record has"
        found[1].parsed shouldBe Parsed.Whole(event(2))
        found[1].offset shouldBe JournalFormat.LONGEST + 1L
    }

    "whatever the bytes are, lines cover them without gaps, and whole records among them are found" {
        val whole = samples.mapIndexed { i, sample -> encoded(event(i + 1L, sample)) }
        for (seed in 0 until 3000) {
            val random = Random(seed)
            val kept = mutableSetOf<Long>()
            val pieces = List(random.nextInt(6)) {
                val number = random.nextInt(whole.size)
                val piece = whole[number]
                when (random.nextInt(5)) {
                    0 -> random.nextBytes(random.nextInt(200))
                    1 -> piece.copyOf(random.nextInt(piece.size))
                    2 -> piece.copyOf().also { it[random.nextInt(it.size)] = random.nextInt().toByte() }
                    3 -> line(String(CharArray(random.nextInt(60)) { "{}[]\":,0a\\e-".random(random) }))
                    else -> piece.also { kept += number + 1L }
                } + '\n'.code.toByte()
            }
            val bytes = pieces.fold(ByteArray(0), ByteArray::plus)
            withClue("seed $seed") {
                val lines = scanned(bytes)
                lines.fold(0L) { at, line -> line.offset shouldBe at; line.end } shouldBe bytes.size.toLong()
                val found = lines.mapNotNull { (it.parsed as? Parsed.Whole)?.event?.sequence }
                (kept - found.toSet()) shouldBe emptySet()
            }
        }
    }
})
