package dev.arraywright.kernel.event

import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.event.journal.JournalRecord
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.takeWhile
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaInstant

/**
 * The one stream of a kernel's events. [emit] never waits: a subscriber that is more than [BACKLOG] events behind loses
 * the oldest and sees it by the gap in [KernelEvent.sequence]. A late subscriber first gets the last [REPLAY] events.
 * With a [journal] numbers go on where it ends, and [since] loses nothing that the journal has.
 */
internal class EventStream(private val clock: Clock, val journal: EventJournal? = null) {
    private val flow = MutableSharedFlow<KernelEvent>(REPLAY, BACKLOG, BufferOverflow.DROP_OLDEST)
    private var last = (journal?.next ?: 1L) - 1

    val events: SharedFlow<KernelEvent> = flow.asSharedFlow()

    /** Numbering and emitting are one step, so that subscribers and the journal see the sequence in order. */
    @Synchronized
    fun emit(occurrence: Occurrence) {
        val event = KernelEvent(++last, clock.now().toJavaInstant(), occurrence)
        check(flow.tryEmit(event))
        journal?.append(event)
    }

    /**
     * Events from number [sequence] on, or from the oldest that is left, then as they happen; in order and none twice. A
     * collector that falls behind reads on from the journal: a gap in the numbers is one in the journal too.
     */
    fun since(sequence: Long): Flow<KernelEvent> = flow { Follower(maxOf(1, sequence), this).follow() }

    /** See [EventJournal.flush]. */
    suspend fun flush(within: Duration): Boolean = journal?.flush(within) ?: true

    /** See [EventJournal.close]; live subscribers go on. */
    suspend fun close(within: Duration): Boolean = journal?.close(within) ?: true

    private inner class Follower(private var next: Long, private val to: FlowCollector<KernelEvent>) {
        suspend fun follow() {
            journal?.let { kept(it, Long.MAX_VALUE) }
            events.collect { event ->
                // Behind: the stream has dropped what lies between, or it happened before the replay.
                if (event.sequence > next && journal != null) {
                    journal.reached(event.sequence - 1, PATIENCE)
                    kept(journal, event.sequence)
                }
                pass(event)
            }
        }

        private suspend fun kept(journal: EventJournal, until: Long) {
            journal.read(next).takeWhile { it !is JournalRecord.Event || it.event.sequence < until }.collect {
                if (it is JournalRecord.Event) pass(it.event)
            }
        }

        private suspend fun pass(event: KernelEvent) {
            if (event.sequence < next) return
            next = event.sequence + 1
            to.emit(event)
        }
    }

    companion object {
        const val REPLAY: Int = 64
        const val BACKLOG: Int = 960

        /** How long a follower waits for the journal before it takes a gap for one. */
        private val PATIENCE = 2.seconds
    }
}
