package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.NbdProtocolException
import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.driver.DriverException
import java.io.IOException
import java.nio.channels.SocketChannel
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.time.toJavaDuration

/**
 * The requests of one remote device and the connection they travel on. Three threads: one connects and receives, one
 * sends as many requests at once as there are, one watches deadlines. State is under [lock]; stages end outside it.
 */
internal class Link(private val id: String, private val dialler: Dialler, private val options: NbdClientOptions) {
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private val watched = lock.newCondition()
    private val requests = RequestTable(options.inFlight)
    private var wire: Wire? = null
    private var attempt: SocketChannel? = null
    private var attemptEnds = 0L
    private var watchUntil = Long.MAX_VALUE
    private var sending = false
    private var moving = 2
    private val threads = listOf("receive" to moving(::receive), "send" to moving(::send), "watch" to ::watch).map {
        Thread.ofPlatform().daemon().name("nbd-${it.first} $id").unstarted(it.second)
    }
    private val requestNanos = options.request.inWholeNanoseconds

    @Volatile
    var state: LinkState = LinkState.Connecting
        private set

    /** Ends with the export once it is reached, or with a [DriverException]. */
    val opened = CompletableFuture<RemoteExport>()

    fun start() = threads.forEach(Thread::start)

    fun newDeadline(): Long = System.nanoTime() + requestNanos

    /** Queues a request; a link that is over fails it at once. */
    fun submit(pending: Pending) {
        val failure = lock.withLock {
            val failure = failureOf(state)
            if (failure == null) {
                requests.add(pending)
                changed.signalAll()
                if (pending.deadline < watchUntil) watched.signal()
            } else {
                pending.end(Outcome.Failed(failure))
            }
            failure
        }
        if (failure != null) pending.settle()
    }

    /**
     * Forgets a request that nobody waits for any more. Returns when its buffer is not used any more: at once, unless
     * its bytes are on the move; then they get through, or the request's deadline closes the connection.
     */
    fun abandon(pending: Pending) {
        lock.withLock {
            pending.end(Outcome.Failed(CancellationException("the request was cancelled")))
            requests.withdraw(pending)
            while (pending.isMoving) changed.awaitUninterruptibly()
        }
        pending.settle()
    }

    /** Fails everything and ends the threads, which takes a moment for those that move bytes. */
    fun close() {
        transition(LinkEvent.Close)
        opened.completeExceptionally(DeviceGoneException(id, "closed", null))
        threads.filter { it !== Thread.currentThread() }.forEach { it.join(JOIN) }
    }

    /** Why nothing goes any more, or null. */
    fun failure(): DeviceIoException? = failureOf(state)

    private fun failureOf(state: LinkState): DeviceIoException? = when (state) {
        is LinkState.Gone -> DeviceGoneException(id, state.why, null)
        is LinkState.Closed -> DeviceGoneException(id, "closed", null)
        is LinkState.Connecting, is LinkState.Connected -> null
    }

    private val isOver: Boolean get() = state is LinkState.Gone || state is LinkState.Closed

    /** Moves the state and, where that ends the device, everything with it. */
    private fun transition(event: LinkEvent) {
        val failed = lock.withLock {
            state = state.next(event)
            val failure = failureOf(state)
            val all = failure?.let { requests.endAll(Outcome.Failed(it)) }.orEmpty()
            if (failure != null) {
                // The sender says good-bye on a connection that is idle, see goodbye().
                if (sending || event != LinkEvent.Close) wire?.channel?.close()
                attempt?.close()
            }
            changed.signalAll()
            watched.signal()
            all
        }
        failed.forEach(Pending::settle)
    }

    /** The watch is the last to leave, so that the others cannot be held up at the end. */
    private fun moving(body: () -> Unit): () -> Unit = {
        try {
            body()
        } finally {
            lock.withLock {
                moving--
                watched.signal()
            }
        }
    }

    private fun receive() {
        var wire: Wire? = try {
            dialOnce().also { if (established(it, null)) opened.complete(it.export) }
        } catch (e: DriverException) {
            transition(LinkEvent.Broken(e.message.orEmpty()))
            opened.completeExceptionally(e)
            null
        }
        val first = wire?.export
        while (wire != null && !isOver) {
            val event = receiveFrom(wire)
            wire.channel.close()
            lost(event)
            wire = if (isOver) null else reconnect(first!!)
        }
        wire?.channel?.close()
    }

    private fun receiveFrom(wire: Wire): LinkEvent {
        val replies = ReplyReader(wire.reader, wire.export, table)
        try {
            while (true) replies.next()
        } catch (e: NbdProtocolException) {
            return LinkEvent.Broken("the server broke the protocol: ${e.message}")
        } catch (e: IOException) {
            return LinkEvent.Lost("connection lost: ${e.message ?: e.javaClass.simpleName}", atRisk = true)
        }
    }

    private fun lost(event: LinkEvent) {
        val atRisk = lock.withLock {
            wire = null
            while (sending) changed.awaitUninterruptibly()
            requests.isAtRisk
        }
        transition(if (event is LinkEvent.Lost) event.copy(atRisk = atRisk) else event)
        // What is left are reads, flushes and questions; late answers come no more.
        lock.withLock { if (!isOver) requests.replay() }
    }

    private fun reconnect(first: RemoteExport): Wire? {
        val end = System.nanoTime() + options.reconnect.inWholeNanoseconds
        var pause = options.firstRetry
        var why = "no attempt was made"
        while (!isOver) {
            if (System.nanoTime() - end >= 0) {
                transition(LinkEvent.OutOfTime("not reached again within ${options.reconnect}: $why"))
                return null
            }
            try {
                val wire = dialOnce()
                if (established(wire, first)) return wire
                wire.channel.close()
                return null
            } catch (e: DriverException) {
                why = e.message.orEmpty()
            }
            pause(minOf(pause.inWholeNanoseconds, end - System.nanoTime()))
            pause = minOf(pause * 2, options.lastRetry)
        }
        return null
    }

    private fun pause(nanos: Long) = lock.withLock {
        var left = nanos
        while (left > 0 && !isOver) left = changed.awaitNanos(left)
    }

    private fun dialOnce(): Wire = try {
        dialler.dial { channel ->
            lock.withLock {
                attempt = channel
                attemptEnds = System.nanoTime() + options.connect.inWholeNanoseconds
                if (isOver) channel.close()
                watched.signal()
            }
        }
    } finally {
        lock.withLock { attempt = null }
    }

    /** False if the link is over, or the export is not the one it was. */
    private fun established(wire: Wire, first: RemoteExport?): Boolean {
        val difference = first?.let { differenceOf(it, wire.export) }
        if (difference != null) {
            transition(LinkEvent.Broken("the export changed: $difference"))
            return false
        }
        return lock.withLock {
            state = state.next(LinkEvent.Established)
            if (!isOver) this.wire = wire
            changed.signalAll()
            !isOver
        }
    }

    private fun differenceOf(before: RemoteExport, now: RemoteExport): String? = when {
        now.size != before.size -> "it had ${before.size} bytes and has ${now.size}"
        now.minBlock > before.minBlock -> "its blocks had ${before.minBlock} bytes and have ${now.minBlock}"
        now.maxPayload < before.maxPayload -> "it took ${before.maxPayload} bytes at once and takes ${now.maxPayload}"
        now.flags != before.flags -> "its flags were 0x%x and are 0x%x".format(before.flags, now.flags)
        now.allocation == null && before.allocation != null -> "it does not tell allocation any more"
        else -> null
    }

    private val table = object : ReplyTable {
        override fun claim(cookie: Long): Pending? = lock.withLock {
            requests.onWire(cookie)?.also { if (!it.isOver) it.receiving = true }
        }

        override fun release(pending: Pending) {
            lock.withLock {
                pending.receiving = false
                changed.signalAll()
            }
            pending.settle()
        }

        override fun answered(pending: Pending) {
            val outcome = outcomeOf(id, pending)
            lock.withLock {
                requests.answered(pending, outcome is Outcome.Done)
                pending.receiving = false
                pending.end(outcome)
                changed.signalAll()
            }
            pending.settle()
        }
    }

    private fun send() {
        while (true) {
            val (to, batch) = nextBatch() ?: return goodbye()
            try {
                for (pending in batch) {
                    pending.request().encode(to.writer.header(NbdRequest.BYTES))
                    if (pending.command == Command.WRITE) pending.buffer?.let(to.writer::payload)
                }
                to.writer.flush()
            } catch (_: IOException) {
                // The receiver finds the connection closed, and it is the one to act on that.
                to.channel.close()
            }
            lock.withLock {
                sending = false
                batch.forEach { it.sending = false }
                changed.signalAll()
            }
            batch.forEach(Pending::settle)
        }
    }

    /** Waits for requests and a connection; null when the link is over. */
    private fun nextBatch(): Pair<Wire, List<Pending>>? = lock.withLock {
        while (!isOver && (wire == null || !requests.canSend)) changed.awaitUninterruptibly()
        val to = wire
        if (isOver || to == null) return null
        val batch = requests.send(System.nanoTime())
        sending = true
        to to batch
    }

    /** The soft disconnect, where the connection still stands. */
    private fun goodbye() {
        val to = lock.withLock { wire } ?: return
        try {
            NbdRequest(0, Command.DISC, 0, 0, 0).encode(to.writer.header(NbdRequest.BYTES))
            if (to.channel.isOpen) to.writer.flush()
        } catch (_: IOException) {
            // Gone already, which is what a good-bye is for.
        } finally {
            to.channel.close()
        }
    }

    private fun watch() {
        var end: Long? = null
        while (true) {
            val late = lock.withLock {
                val now = System.nanoTime()
                if (isOver && end == null) end = now + JOIN.toNanos() / 2
                if (isOver && (now - end!! >= 0 || moving == 0)) {
                    wire?.channel?.close()
                    return
                }
                val late = overdue(now)
                if (late.isEmpty()) awaitNext(now, end)
                late
            }
            late.forEach(Pending::settle)
        }
    }

    /** Fails what is past its deadline and closes what does not move; called under the lock. */
    private fun overdue(now: Long): List<Pending> {
        if (attempt != null && now - attemptEnds >= 0) attempt?.close()
        val late = requests.expire(now) { Outcome.Failed(TimedOutException(id, options.request.toJavaDuration())) }
        val silent = silentUntil()?.let { now - it >= 0 } ?: false
        if (silent || requests.isStuck(now)) wire?.channel?.close()
        return late
    }

    /** When a connection that owes an answer and brings nothing is taken for dead: one slow answer is no reason yet. */
    private fun silentUntil(): Long? {
        val oldest = requests.oldestSentAt ?: return null
        return wire?.takeIf { it.channel.isOpen }?.let { maxOf(it.lastArrival, oldest) + 2 * requestNanos }
    }

    private fun awaitNext(now: Long, end: Long?) {
        val attemptEnd = attemptEnds.takeIf { attempt?.isOpen == true }
        val next = listOfNotNull(requests.nextDeadline(), silentUntil(), attemptEnd, end).minOrNull()
        watchUntil = next ?: Long.MAX_VALUE
        if (next == null) watched.awaitUninterruptibly() else watched.awaitNanos(maxOf(next - now, TICK))
        watchUntil = Long.MIN_VALUE
    }

    private companion object {
        const val TICK = 1_000_000L
        val JOIN: java.time.Duration = java.time.Duration.ofSeconds(2)
    }
}
