package dev.arraywright.kernel.event

import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.event.journal.FaultyStorage
import dev.arraywright.kernel.event.journal.JournalLimits
import dev.arraywright.kernel.event.journal.LONG
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeStrictlyIncreasing
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.takeWhile
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.nio.file.Path
import kotlin.time.Clock
import kotlin.time.Duration.Companion.milliseconds

private const val MANY = 5000

class EventStreamSpec : StringSpec({
    timeout = 60_000

    fun stream(directory: Path, limits: JournalLimits = JournalLimits()): EventStream =
        EventStream(Clock.System, EventJournal.open(directory, limits))

    fun EventStream.emit(count: Int): Unit = repeat(count) { emit(ArrayRecovered("vault")) }

    suspend fun EventStream.next(sequence: Long, count: Int): List<Long> =
        since(sequence).take(count).toList().map { it.sequence }

    "numbers go on after a restart, and a reader follows from any of them, past and future" {
        val directory = tempdir().toPath()
        stream(directory).run {
            emit(100)
            close(LONG) shouldBe true
        }
        val stream = stream(directory)
        for (from in listOf(0L, 1L, 50L, 100L)) {
            withClue("from $from") {
                val first = maxOf(from, 1)
                stream.next(from, (101 - first).toInt()) shouldBe (first..100L).toList()
            }
        }
        val future = async(start = CoroutineStart.UNDISPATCHED) { stream.next(103, 2) }
        stream.emit(5)
        stream.events.replayCache.map { it.sequence } shouldBe (101L..105L).toList()
        future.await() shouldBe listOf(103L, 104L)
        stream.next(1, 105) shouldBe (1L..105L).toList()
        stream.close(LONG)
    }

    "followers that begin while events pour in see each once, in order, whatever they began with" {
        val stream = stream(tempdir().toPath())
        withContext(Dispatchers.Default) {
            val followers = (0 until 20).map { i ->
                async {
                    val from = 1L + i * MANY / 20
                    from to stream.since(from).takeWhile { it.sequence <= MANY }.toList().map { it.sequence }
                }
            }
            repeat(MANY / 10) {
                stream.emit(10)
                yield()
            }
            stream.flush(LONG) shouldBe true
            stream.emit(1)
            for ((from, seen) in followers.map { it.await() }) seen shouldBe (from..MANY).toList()
        }
        stream.close(LONG)
    }

    "a follower that is slow reads on from the journal and loses nothing; one of the live events sees the gap" {
        val stream = stream(tempdir().toPath(), JournalLimits(backlog = MANY))
        val gate = CompletableDeferred<Unit>()
        stream.emit(1)
        val follower = async(start = CoroutineStart.UNDISPATCHED) {
            stream.since(1).onEach { gate.await() }.take(MANY).toList().map { it.sequence }
        }
        val live = async(start = CoroutineStart.UNDISPATCHED) {
            stream.events.onEach { gate.await() }.takeWhile { it.sequence < MANY }.toList().map { it.sequence }
        }
        stream.emit(MANY - 1)
        gate.complete(Unit)
        follower.await() shouldBe (1L..MANY).toList()
        val seen = live.await()
        seen.shouldBeStrictlyIncreasing()
        (seen[1] - seen[0]) shouldBeGreaterThan 1
        stream.close(LONG)
    }

    "what the journal has rotated away is a gap at the beginning, and only there" {
        val stream = stream(tempdir().toPath(), JournalLimits(segmentBytes = 10_000, segments = 2))
        repeat(20) {
            stream.emit(100)
            stream.flush(LONG) shouldBe true
        }
        val seen = stream.since(1).takeWhile { it.sequence < 2000 }.toList().map { it.sequence }
        seen.first() shouldBeGreaterThan 1
        seen shouldBe (seen.first()..1999L).toList()
        stream.close(LONG)
    }

    "what a failing disk did not take is a gap, and the follower goes on" {
        val storage = FaultyStorage()
        val limits = JournalLimits(backlog = 10, patience = 20.milliseconds)
        val stream = EventStream(Clock.System, EventJournal.open(tempdir().toPath(), limits, Dispatchers.IO, storage))
        stream.emit(1)
        stream.flush(LONG) shouldBe true
        storage.failing("write")
        stream.emit(1)
        stream.journal!!.failure.first { it != null }
        stream.emit(MANY)
        storage.failing()
        stream.flush(LONG) shouldBe true
        val seen = stream.since(1).takeWhile { it.sequence < MANY }.toList().map { it.sequence }
        seen.take(2) shouldBe listOf(1L, 2L)
        seen.shouldBeStrictlyIncreasing()
        seen.last() shouldBe MANY - 1
        stream.close(LONG)
    }

    "without a journal a follower has what the stream still has" {
        val stream = EventStream(Clock.System)
        stream.emit(100)
        val first = 101L - EventStream.REPLAY
        stream.next(1, EventStream.REPLAY) shouldBe (first..100L).toList()
        stream.next(90, 11) shouldBe (90L..100L).toList()
        stream.flush(LONG) shouldBe true
        stream.close(LONG) shouldBe true
    }

    "subscribers that throw, or never come back, hold up neither the stream nor the others" {
        val stream = EventStream(Clock.System)
        supervisorScope {
            val thrower = async(start = CoroutineStart.UNDISPATCHED) { stream.events.collect { error("no") } }
            val stuck = launch(start = CoroutineStart.UNDISPATCHED) {
                stream.events.collect { CompletableDeferred<Unit>().await() }
            }
            stream.emit(MANY)
            thrower.join()
            stream.events.first().sequence shouldBe MANY + 1L - EventStream.REPLAY
            stuck.cancelAndJoin()
        }
    }
})
