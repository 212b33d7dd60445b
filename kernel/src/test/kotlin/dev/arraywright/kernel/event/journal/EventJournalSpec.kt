package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.event.ArrayStopped
import dev.arraywright.kernel.event.event
import dev.arraywright.kernel.event.samples
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldHaveAtMostSize
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.collect
import kotlinx.coroutines.flow.toList
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.appendBytes
import kotlin.io.path.fileSize
import kotlin.io.path.name
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import kotlin.random.Random

class EventJournalSpec : StringSpec({
    timeout = 60_000

    fun directory(): Path = tempdir().toPath().resolve("journal")

    suspend fun written(directory: Path, last: Int): List<Path> {
        EventJournal.open(directory).use { it.append((1L..last).map { n -> event(n) }) }
        return segments(directory)
    }

    "every kind of event is read back after a restart, and numbers go on" {
        val directory = directory()
        val events = samples.mapIndexed { i, sample -> event(i + 1L, sample) }
        EventJournal.open(directory).use { journal ->
            journal.next shouldBe 1
            journal.append(events)
            journal.flush(LONG) shouldBe true
            journal.written.value shouldBe events.size
        }
        EventJournal.open(directory).use { journal ->
            journal.next shouldBe events.size + 1
            journal.cut shouldBe null
            journal.failure.value shouldBe null
            journal.read().toList() shouldBe events.map { JournalRecord.Event(it) }
        }
    }

    "cut at every byte of its last record, a journal keeps every one before and goes on" {
        val segment = written(directory(), 5).single()
        val bytes = segment.readBytes()
        val before = bytes.dropLast(1).lastIndexOf('\n'.code.toByte()) + 1
        for (size in before until bytes.size) {
            withClue("$size bytes of ${bytes.size}") {
                val directory = directory()
                Files.createDirectories(directory)
                directory.resolve(segment.name).writeBytes(bytes.copyOf(size))
                numbers(directory) shouldBe (1L..4L).toList()
                EventJournal.open(directory).use { journal ->
                    journal.next shouldBe 5
                    journal.cut?.substringAfter("record of ")?.substringBefore(" bytes") shouldBe
                        (size - before).takeIf { it > 0 }?.toString()
                    journal.append(listOf(event(5), event(6)))
                }
                numbers(directory) shouldBe (1L..6L).toList()
            }
        }
    }

    "what a power cut leaves behind the last record, zeroes or anything, is cut off" {
        for (seed in 0 until 50) {
            val directory = directory()
            val segment = written(directory, 3).single()
            val random = Random(seed)
            segment.appendBytes(if (seed == 0) ByteArray(4096) else random.nextBytes(random.nextInt(1, 5000)))
            EventJournal.open(directory).use { journal ->
                journal.next shouldBe 4
                journal.append(event(4))
            }
            withClue("seed $seed") { numbers(directory) shouldBe (1L..4L).toList() }
        }
    }

    "damage in the middle is told with its place, and costs only the record it hit" {
        val directory = directory()
        val segment = written(directory, 5).single()
        val bytes = segment.readBytes()
        val second = bytes.indexOf('\n'.code.toByte()) + 1
        segment.writeBytes(bytes.also { it[second + 20] = '#'.code.toByte() })
        val records = EventJournal.read(directory).toList()
        val damaged = records[1] as JournalRecord.Damaged
        damaged.offset shouldBe second.toLong()
        damaged.toString() shouldContain "is damaged at byte $second"
        (records - damaged).map { (it as JournalRecord.Event).event.sequence } shouldBe listOf(1L, 3L, 4L, 5L)
        EventJournal.open(directory).use { it.next shouldBe 6 }
    }

    "an unfinished record is damage where another segment follows it, and being written where none does" {
        val directory = directory()
        EventJournal.open(directory, JournalLimits(segmentBytes = 300)).use {
            it.append((1L..5L).map { n -> event(n) })
        }
        val segments = segments(directory)
        segments.size shouldBe 3
        segments.forEach { it.writeBytes(it.readBytes().dropLast(1).toByteArray()) }
        val (damaged, events) = EventJournal.read(directory).toList().partition { it is JournalRecord.Damaged }
        damaged.map { (it as JournalRecord.Damaged).file } shouldBe segments.dropLast(1)
        events.map { (it as JournalRecord.Event).event.sequence } shouldBe listOf(1L, 3L)
    }

    "segments are bounded in size and number, the oldest go first, and a number is found in whichever holds it" {
        val directory = directory()
        val limits = JournalLimits(segmentBytes = 1000, segments = 3)
        EventJournal.open(directory, limits).use { it.append((1L..100L).map { n -> event(n) }) }
        val segments = segments(directory)
        segments shouldHaveAtMostSize 3
        segments.forEach { it.fileSize() shouldBeLessThanOrEqual 1000 }
        val kept = numbers(directory)
        kept.first() shouldBeGreaterThan 1
        kept shouldBe (kept.first()..100L).toList()
        segments.first().name shouldBe "events-%020d.journal".format(kept.first())
        for (from in kept.first()..101L) numbers(directory, from) shouldBe (from..100L).toList()
        numbers(directory, 1) shouldBe kept
        EventJournal.open(directory, limits).use { it.next shouldBe 101 }
    }

    "a record that is larger than a segment has one of its own" {
        val directory = directory()
        EventJournal.open(directory, JournalLimits(segmentBytes = 10)).use {
            it.append((1L..3L).map { n -> event(n) })
        }
        segments(directory).size shouldBe 3
        numbers(directory) shouldBe listOf(1L, 2L, 3L)
    }

    "a segment that a crash left empty keeps its number" {
        val directory = directory()
        written(directory, 3)
        Files.createFile(directory.resolve("events-%020d.journal".format(4)))
        EventJournal.open(directory).use { journal ->
            journal.next shouldBe 4
            journal.append(event(4))
        }
        numbers(directory) shouldBe (1L..4L).toList()
    }

    "one kernel writes, a second is refused, and the first goes on" {
        val directory = directory()
        EventJournal.open(directory).use { journal ->
            val error = shouldThrow<KernelError.InUse> { EventJournal.open(directory) }
            error.what shouldContain directory.toString()
            journal.append(event(1))
            journal.flush(LONG) shouldBe true
            numbers(directory) shouldBe listOf(1L)
        }
        EventJournal.open(directory).use { it.next shouldBe 2 }
    }

    "a newer version's journal is not written to" {
        val directory = directory()
        val segment = written(directory, 2).single()
        val newer = segment.readBytes().also { it[0] = '2'.code.toByte() }
        segment.writeBytes(newer)
        repeat(2) { shouldThrow<KernelError.InvalidRequest> { EventJournal.open(directory) }.why shouldContain "'2'" }
        segment.readBytes() shouldBe newer
        EventJournal.read(directory).toList().first().toString() shouldContain "this program reads 1"
    }

    "other files in the directory are left alone" {
        val directory = directory()
        Files.createDirectories(directory)
        val others = listOf("events-1.journal", "events-99999999999999999999.journal", "notes.txt")
        others.forEach { directory.resolve(it).writeBytes(byteArrayOf(1)) }
        EventJournal.open(directory, JournalLimits(segments = 1)).use { it.append(event(1)) }
        others.forEach { directory.resolve(it).readBytes() shouldBe byteArrayOf(1) }
        numbers(directory) shouldBe listOf(1L)
    }

    "what is too long for a record is left out and told, and the rest is kept" {
        val directory = directory()
        EventJournal.open(directory).use { journal ->
            journal.append(listOf(event(1), event(2, ArrayStopped("v", "x".repeat(1 shl 20))), event(3)))
            journal.flush(LONG) shouldBe true
            journal.failure.value shouldBe "1 events are not in the journal"
        }
        numbers(directory) shouldBe listOf(1L, 3L)
    }

    "a directory that is none, or not there, is an error with a remedy" {
        val file = tempdir().toPath().resolve("file").also { it.writeBytes(byteArrayOf(1)) }
        shouldThrow<KernelError.InvalidRequest> { EventJournal.open(file) }.what shouldContain "$file"
        shouldThrow<KernelError.InvalidRequest> { EventJournal.read(directory()).collect() }.why shouldContain "journal"
    }
})
