package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.event.event
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlin.time.Duration.Companion.milliseconds

class JournalFailureSpec : StringSpec({
    timeout = 60_000

    val impatient = JournalLimits(patience = 20.milliseconds)

    for (operation in listOf("write", "force", "open", "sync")) {
        "a disk whose $operation fails is told of and tried again until it works, and nothing is lost or twice" {
            val directory = tempdir().toPath()
            val storage = FaultyStorage()
            EventJournal.open(directory, impatient.copy(segmentBytes = 300), Dispatchers.IO, storage).use { journal ->
                journal.append(event(1))
                journal.flush(LONG) shouldBe true
                storage.failing(operation)
                journal.append((2L..9L).map { event(it) })
                journal.failure.first { it != null }.shouldNotBeNull() shouldContain "no space left"
                journal.flush(1.milliseconds) shouldBe false
                storage.failing()
                journal.flush(LONG) shouldBe true
                journal.failure.first { it == null }
            }
            numbers(directory) shouldBe (1L..9L).toList()
        }
    }

    "a disk that hangs holds nobody up: what does not fit into the backlog is lost, counted and seen by the numbers" {
        val directory = tempdir().toPath()
        val storage = FaultyStorage()
        val hang = Hang()
        EventJournal.open(directory, impatient.copy(backlog = 4), Dispatchers.IO, storage).use { journal ->
            journal.append(event(1))
            journal.flush(LONG) shouldBe true
            storage.fault = { hang.pass() }
            journal.append(event(2))
            journal.failure.first { it != null }.shouldNotBeNull() shouldContain "has not taken an event"
            journal.append((3L..10L).map { event(it) })
            journal.failure.value.shouldNotBeNull() shouldContain "4 events are not in the journal"
            journal.flush(1.milliseconds) shouldBe false
            storage.fault = {}
            hang.open()
            journal.flush(LONG) shouldBe true
            journal.append(event(11))
        }
        numbers(directory) shouldBe listOf(1L, 2L, 3L, 4L, 5L, 6L, 11L)
    }

    "closing waits no longer than its bound for a disk that hangs, and says what is missing" {
        val directory = tempdir().toPath()
        val storage = FaultyStorage()
        val hang = Hang()
        val journal = EventJournal.open(directory, impatient, Dispatchers.IO, storage)
        journal.append(event(1))
        journal.flush(LONG) shouldBe true
        storage.fault = { hang.pass() }
        journal.append(listOf(event(2), event(3)))
        journal.failure.first { it != null }
        journal.close(50.milliseconds) shouldBe false
        journal.failure.value.shouldNotBeNull() shouldContain "events after number 1"
        hang.open()
        journal.close(LONG) shouldBe true
        EventJournal.open(directory).use { it.cut shouldBe null }
    }
})
