package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.CommandFlag

/**
 * The requests of a link: those that wait, those on the wire, and what is known of the writes among them. Not
 * thread-safe: every call is made under the link's lock.
 */
internal class RequestTable(private val window: Int) {
    private val queue = ArrayDeque<Pending>()

    /** On the wire, oldest first, with those whose callers gave up and whose answers are still to come. */
    private val sent = LinkedHashMap<Long, Pending>()
    private var cookies = 0L
    private var acknowledged = 0L
    private var flushed = 0L

    /** Whether there is something to send, and room on the wire. */
    val canSend: Boolean get() = queue.isNotEmpty() && sent.size < window

    /** Whether a lost connection can have harmed writes. */
    val isAtRisk: Boolean get() = acknowledged != flushed || sent.values.any { it.changesData }

    /** When the oldest request on the wire was sent. */
    val oldestSentAt: Long? get() = sent.values.firstOrNull()?.sentAt

    fun add(pending: Pending) {
        check(queue.size < MAX_QUEUE) { "more than $MAX_QUEUE requests wait" }
        queue.addLast(pending)
    }

    fun withdraw(pending: Pending) {
        queue.remove(pending)
    }

    fun onWire(cookie: Long): Pending? = sent[cookie]

    /** Moves to the wire what there is room for. */
    fun send(now: Long): List<Pending> {
        val batch = List(minOf(queue.size, window - sent.size)) { queue.removeFirst() }
        for (pending in batch) {
            pending.cookie = ++cookies
            pending.sentAt = now
            pending.sending = true
            if (pending.command == Command.FLUSH) pending.covers = acknowledged
            sent[pending.cookie] = pending
        }
        return batch
    }

    /** With FUA a write is safe as soon as it is answered, without it after a flush that was sent later. */
    fun answered(pending: Pending, well: Boolean) {
        sent -= pending.cookie
        if (!well) return
        if (pending.changesData && pending.flags and CommandFlag.FUA == 0) acknowledged++
        if (pending.command == Command.FLUSH) flushed = maxOf(flushed, pending.covers)
    }

    /** Ends what is past its deadline and gives it back. */
    fun expire(now: Long, outcome: () -> Outcome): List<Pending> {
        val late = (sent.values + queue).filter { !it.isOver && now - it.deadline >= 0 }
        late.forEach { it.end(outcome()) }
        queue.removeAll { it.isOver }
        return late
    }

    /** Whether the bytes of a request that is past its deadline are still on the move. */
    fun isStuck(now: Long): Boolean = sent.values.any { it.isMoving && now - it.deadline >= 0 }

    /** The next deadline. */
    fun nextDeadline(): Long? = (sent.values + queue).filter { !it.isOver || it.isMoving }.minOfOrNull { it.deadline }

    /** Puts what was on a lost connection first in the queue, in its order. */
    fun replay() {
        val again = sent.values.filterNot { it.isOver }
        sent.clear()
        for (pending in again.reversed()) {
            pending.reset()
            queue.addFirst(pending)
        }
    }

    /** Ends everything and gives it back. */
    fun endAll(outcome: Outcome): List<Pending> {
        val all = sent.values + queue
        all.forEach { it.end(outcome) }
        sent.clear()
        queue.clear()
        return all
    }

    private companion object {
        const val MAX_QUEUE = 4096
    }
}
