package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.Errno
import dev.arraywright.hardware.nbd.wire.NbdProtocolException
import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.hardware.nbd.wire.WireReader
import dev.arraywright.hardware.nbd.wire.WireWriter
import io.github.oshai.kotlinlogging.KotlinLogging
import java.io.IOException
import java.nio.channels.SocketChannel
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private val log = KotlinLogging.logger {}

/** What the connections of one server share. */
internal class ConnectionHost(
    val limits: NbdLimits,
    val exports: ExportDirectory,
    val admissions: Admissions,
    val negotiated: (ServerConnection) -> Unit,
    val ended: (ServerConnection) -> Unit,
)

/**
 * One client. The reader thread negotiates, takes requests and starts them on the device; the writer thread sends
 * replies. Whatever a client does wrong ends here.
 */
internal class ServerConnection(
    val id: Long,
    val peer: String,
    private val channel: SocketChannel,
    private val host: ConnectionHost,
) {
    private val limits = host.limits
    private val receiving = Deadline()
    private val sending = Deadline()
    private val reader = WireReader(channel)
    private val writer = WireWriter(channel) { sending.extend(limits.stall) }
    private val replies = ReplyQueue(writer, sending, limits.stall)
    private val admission = host.admissions.forConnection()
    private val lingering = Deadline()
    private val readerThread = Thread.ofPlatform().daemon().name("nbd-$id-reader").unstarted(::read)
    private val writerThread = Thread.ofPlatform().daemon().name("nbd-$id-writer").unstarted(::write)

    @Volatile
    var session: Session? = null
        private set

    @Volatile
    private var draining = false

    fun start() = readerThread.start()

    /** Takes no new requests and ends when those in flight are answered. */
    fun drain() {
        draining = true
        if (session == null) close() else replies.finish()
    }

    /** Answers what is in flight with ESHUTDOWN and ends. */
    fun abandon() {
        drain()
        replies.abandon()
    }

    /** Ends at once. The device may still be at work on requests; their buffers wait for it. */
    fun close() {
        closeChannel()
        admission.close()
        replies.close()
    }

    /** True if the connection's threads have ended within the time. */
    fun awaitEnd(time: Duration): Boolean =
        readerThread === Thread.currentThread() || readerThread.join(
            java.time.Duration.ofNanos(time.inWholeNanoseconds.coerceAtLeast(1)),
        )

    /** Ends a connection that keeps the server waiting too long. */
    fun enforceDeadlines() {
        val what = when {
            receiving.isPast() -> "no complete message from the client in time"
            sending.isPast() -> "the client does not read its replies"
            lingering.isPast() -> "the device does not answer and the client is gone"
            else -> return
        }
        log.info { "NBD client $peer: closed, $what" }
        close()
    }

    private fun read() {
        try {
            receiving.set(limits.handshake)
            sending.set(limits.handshake)
            val session = ServerHandshake(reader, writer, host.exports, host.admissions.maxPayload).negotiate()
            sending.clear()
            if (session != null) serve(session)
        } catch (e: NbdProtocolException) {
            log.info { "NBD client $peer: closed, ${e.message}" }
            close()
        } catch (e: IOException) {
            log.debug { "NBD client $peer: connection ended: $e" }
            close()
        } catch (e: InterruptedException) {
            log.debug { "NBD client $peer: closed while waiting for room: $e" }
        } catch (e: RuntimeException) {
            log.error(e) { "NBD client $peer: closed" }
            close()
        } finally {
            receiving.clear()
            leave()
        }
    }

    private fun leave() {
        lingering.set(limits.grace)
        replies.finish()
        if (session != null) joinUninterruptibly(writerThread)
        close()
        host.ended(this)
    }

    private fun serve(agreed: Session) {
        session = agreed
        host.negotiated(this)
        writerThread.start()
        if (draining) replies.finish()
        val commands = Commands(agreed)
        while (true) {
            receiving.set(limits.idle)
            if (!reader.awaitByte()) return
            receiving.set(limits.stall)
            val request = NbdRequest.decode(reader)
            if (request.command == Command.DISC) return
            take(request, commands)
        }
    }

    private fun take(request: NbdRequest, commands: Commands) {
        val isWrite = request.command == Command.WRITE
        val errno = if (draining) Errno.ESHUTDOWN else commands.refusal(request)
        if (errno != Errno.OK && isWrite) {
            if (request.length > maxOf(Nbd.SAFE_PAYLOAD, host.admissions.maxPayload)) {
                throw NbdProtocolException("a WRITE of ${request.length} bytes")
            }
            receiving.set(limits.stall + (request.length shr 18).seconds)
            reader.skip(request.length)
        }
        val moves = errno == Errno.OK && (isWrite || request.command == Command.READ)
        receiving.clear()
        val flight = admission.admit(request, if (moves) request.length.toInt() else 0)
        replies.begin(flight)
        if (errno != Errno.OK) {
            flight.letGo()
            commands.settled(request, errno)
            replies.answer(Reply(flight, errno))
            return
        }
        if (isWrite) fill(flight)
        commands.start(request, flight.lease?.buffer()).whenComplete { extents, failure ->
            val reply = if (failure == null) Reply(flight, Errno.OK, extents = extents) else failed(flight, failure)
            commands.settled(request, reply.errno)
            replies.answer(reply)
            flight.letGo()
        }
    }

    private fun fill(flight: InFlight) {
        val target = flight.lease?.buffer()?.duplicate() ?: return
        receiving.set(limits.stall + (flight.request.length shr 18).seconds)
        try {
            reader.fill(target)
        } catch (e: IOException) {
            flight.letGo()
            replies.answer(Reply(flight, Errno.EIO))
            throw e
        }
    }

    private fun failed(flight: InFlight, failure: Throwable): Reply {
        val cause = Commands.bare(failure)
        if (cause is RuntimeException || cause is Error)
            log.error(cause) {
                "NBD client $peer: ${flight.request} broke the device"
            }
        return Reply(flight, Commands.errnoOf(cause), cause.message)
    }

    private fun write() {
        try {
            replies.run(session!!.structured)
        } catch (e: IOException) {
            log.debug { "NBD client $peer: connection ended: $e" }
            close()
        } finally {
            if (draining) close()
        }
    }

    private fun closeChannel() {
        try {
            channel.close()
        } catch (e: IOException) {
            log.debug { "NBD client $peer: close failed: $e" }
        }
    }
}

/** Joins a thread that is bound to end, whatever interrupts come meanwhile. */
internal fun joinUninterruptibly(thread: Thread) {
    var interrupted = false
    while (true) {
        try {
            thread.join()
            break
        } catch (_: InterruptedException) {
            interrupted = true
        }
    }
    if (interrupted) Thread.currentThread().interrupt()
}
