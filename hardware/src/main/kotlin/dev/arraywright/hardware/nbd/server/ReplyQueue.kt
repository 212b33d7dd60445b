package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.wire.ChunkHeader
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Chunk
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.Errno
import dev.arraywright.hardware.nbd.wire.SimpleReply
import dev.arraywright.hardware.nbd.wire.WireWriter
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.time.Duration

/**
 * Requests in flight on one connection and the replies that wait to be sent; as long as the one, so the limit on
 * requests bounds both. Every request that [begin]s is answered once: by the device, or at the end with ESHUTDOWN.
 */
internal class ReplyQueue(
    private val writer: WireWriter,
    private val sending: Deadline,
    private val stall: Duration,
) {
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private val outstanding = LinkedHashSet<InFlight>()
    private var waiting = ArrayList<Reply>()
    private var finishing = false
    private var closed = false

    fun begin(flight: InFlight) {
        lock.withLock { outstanding += flight }
    }

    /** Queues the answer, unless the request has one already or the connection is gone. */
    fun answer(reply: Reply) {
        if (!reply.flight.claimAnswer()) return
        val queued = lock.withLock {
            outstanding -= reply.flight
            if (!closed) waiting += reply
            changed.signal()
            !closed
        }
        if (!queued) reply.flight.letGo()
    }

    /** Lets [run] end once everything that has begun is answered and sent. */
    fun finish() {
        lock.withLock {
            finishing = true
            changed.signal()
        }
    }

    /** Answers what is still in flight with ESHUTDOWN, without waiting for the device. */
    fun abandon() {
        val flights = lock.withLock { outstanding.toList() }
        flights.forEach { answer(Reply(it, Errno.ESHUTDOWN, "the server is closing")) }
    }

    /** Ends [run]; what is not sent yet is dropped. */
    fun close() {
        val dropped = lock.withLock {
            closed = true
            changed.signal()
            waiting.also { waiting = ArrayList() }
        }
        dropped.forEach { it.flight.letGo() }
    }

    /** Sends replies, as many at once as there are; the body of the connection's writer thread. */
    fun run(structured: Boolean) {
        while (true) {
            val batch = lock.withLock {
                while (waiting.isEmpty() && !closed && !(finishing && outstanding.isEmpty())) changed.await()
                waiting.also { waiting = ArrayList() }
            }
            if (batch.isEmpty()) return
            sending.set(stall)
            try {
                batch.forEach { if (structured) chunk(it) else simple(it) }
                writer.flush()
            } finally {
                sending.clear()
                batch.forEach { it.flight.letGo() }
            }
        }
    }

    private fun simple(reply: Reply) {
        val request = reply.flight.request
        SimpleReply.encode(writer.header(SimpleReply.BYTES), reply.errno, request.cookie)
        if (reply.errno == Errno.OK && request.command == Command.READ) payload(reply)
    }

    private fun chunk(reply: Reply) {
        val request = reply.flight.request
        val cookie = request.cookie
        when {
            reply.errno != Errno.OK -> {
                val text = reply.message.orEmpty().take(MESSAGE).encodeToByteArray()
                val out = writer.header(ChunkHeader.BYTES + 6 + text.size)
                ChunkHeader.encode(out, Chunk.FLAG_DONE, Chunk.ERROR, cookie, 6 + text.size)
                out.putInt(reply.errno).putShort(text.size.toShort()).put(text)
            }
            request.command == Command.READ && request.length > 0 -> {
                val out = writer.header(ChunkHeader.BYTES + 8)
                ChunkHeader.encode(out, Chunk.FLAG_DONE, Chunk.OFFSET_DATA, cookie, 8 + request.length.toInt())
                out.putLong(request.offset)
                payload(reply)
            }
            reply.extents != null -> {
                val out = writer.header(ChunkHeader.BYTES + 4 + 8 * reply.extents.size)
                ChunkHeader.encode(out, Chunk.FLAG_DONE, Chunk.BLOCK_STATUS, cookie, 4 + 8 * reply.extents.size)
                out.putInt(ServerHandshake.ALLOCATION_ID)
                for (extent in reply.extents) {
                    out.putInt(extent.length.toInt()).putInt(if (extent.hole) Nbd.STATE_HOLE or Nbd.STATE_ZERO else 0)
                }
            }
            else -> ChunkHeader.encode(writer.header(ChunkHeader.BYTES), Chunk.FLAG_DONE, Chunk.NONE, cookie, 0)
        }
    }

    private fun payload(reply: Reply) {
        reply.flight.lease?.let { writer.payload(it.buffer()) }
    }

    private companion object {
        /** Longest message in characters; in UTF-8 within the protocol's 4096 bytes. */
        const val MESSAGE = 1024
    }
}
