package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Chunk
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.Errno
import dev.arraywright.hardware.nbd.wire.NbdProtocolException
import dev.arraywright.hardware.nbd.wire.WireReader
import dev.arraywright.spi.device.Extent
import java.io.EOFException
import java.io.IOException
import java.nio.ByteBuffer

/** The server says it is going: the protocol wants the client to hang up. */
internal class ServerClosingException : IOException("the server is shutting down")

/** Where replies find the requests they answer. */
internal interface ReplyTable {
    /** The request, its buffer held for this thread until [release] or [answered]; null if the server made it up. */
    fun claim(cookie: Long): Pending?

    fun release(pending: Pending)

    /** The reply is complete. */
    fun answered(pending: Pending)
}

/**
 * Takes the server's replies off the wire: data goes straight to the callers' buffers. Whatever the server sends,
 * memory is bounded by the requests; what makes no sense is an [NbdProtocolException].
 */
internal class ReplyReader(
    private val reader: WireReader,
    private val export: RemoteExport,
    private val table: ReplyTable,
) {
    /** Takes one message; throws at the end of the connection. */
    fun next() {
        if (!reader.awaitByte()) throw EOFException("the server closed the connection")
        reader.require(4)
        when (val magic = reader.int()) {
            Nbd.SIMPLE_REPLY_MAGIC -> simple()
            Nbd.CHUNK_MAGIC -> chunk()
            else -> throw NbdProtocolException("reply magic 0x%08x".format(magic))
        }
    }

    private fun simple() {
        reader.require(12)
        val errno = reader.int()
        val pending = claim(reader.long())
        claimed(pending) {
            if (export.structured && pending.command == Command.READ)
                throw NbdProtocolException(
                    "a simple reply to a READ",
                )
            if (pending.command == Command.BLOCK_STATUS && errno == 0)
                throw NbdProtocolException(
                    "a simple reply to BLOCK_STATUS",
                )
            pending.reply.errno = errno
            if (errno == Errno.OK && pending.command == Command.READ) data(pending, pending.offset, pending.length)
            true
        }
    }

    private fun chunk() {
        if (!export.structured) throw NbdProtocolException("a structured reply that was not agreed on")
        reader.require(16)
        val flags = reader.unsignedShort()
        val type = reader.unsignedShort()
        val pending = claim(reader.long())
        val length = reader.unsignedInt()
        claimed(pending) {
            when {
                type == Chunk.NONE && length == 0L -> Unit
                type == Chunk.OFFSET_DATA && length > 8 -> {
                    reader.require(8)
                    data(pending, reader.long(), length - 8)
                }
                type == Chunk.OFFSET_HOLE && length == 12L -> hole(pending)
                type == Chunk.BLOCK_STATUS && length in 12..MAX_STATUS && length % 8 == 4L -> status(
                    pending,
                    length.toInt(),
                )
                type and Chunk.ERROR_BIT != 0 && length in 6..MAX_ERROR -> error(pending, length)
                else -> throw NbdProtocolException("a chunk of type $type with $length bytes")
            }
            flags and Chunk.FLAG_DONE != 0
        }
    }

    private fun claim(cookie: Long): Pending =
        table.claim(cookie) ?: throw NbdProtocolException("a reply to nothing, cookie $cookie")

    /** Runs [take], which tells whether the reply is complete, and lets go of the request whatever comes. */
    private inline fun claimed(pending: Pending, take: () -> Boolean) {
        val complete = try {
            take() && checked(pending)
        } catch (e: Throwable) {
            table.release(pending)
            throw e
        }
        if (complete) table.answered(pending) else table.release(pending)
    }

    private fun checked(pending: Pending): Boolean {
        val reply = pending.reply
        if (reply.errno == Errno.ESHUTDOWN) throw ServerClosingException()
        if (reply.errno != Errno.OK) return true
        if (pending.command == Command.READ && !reply.isWhole(
                pending.length,
            )
        )
            throw NbdProtocolException("a READ was answered in part")
        if (pending.command == Command.BLOCK_STATUS && reply.extents == null)
            throw NbdProtocolException(
                "a status without extents",
            )
        return true
    }

    private fun data(pending: Pending, offset: Long, length: Long) {
        cover(pending, offset, length)
        val target = pending.target
        if (target == null) {
            reader.skip(length)
        } else {
            reader.fill(target.slice(target.position() + (offset - pending.offset).toInt(), length.toInt()))
        }
    }

    private fun hole(pending: Pending) {
        reader.require(12)
        val offset = reader.long()
        val length = reader.unsignedInt()
        cover(pending, offset, length)
        val target = pending.target ?: return
        val hole = target.slice(target.position() + (offset - pending.offset).toInt(), length.toInt())
        while (hole.remaining() >= 8) hole.putLong(0)
        while (hole.hasRemaining()) hole.put(0)
    }

    private fun cover(pending: Pending, offset: Long, length: Long) {
        val inside = pending.command == Command.READ && length > 0 && offset >= pending.offset &&
            length <= pending.length && offset - pending.offset <= pending.length - length
        if (!inside || !pending.reply.cover(offset, offset + length)) {
            throw NbdProtocolException("$length bytes at $offset were not asked for, or came before")
        }
    }

    private fun status(pending: Pending, length: Int) {
        if (pending.command != Command.BLOCK_STATUS || pending.reply.extents != null)
            throw NbdProtocolException(
                "a status not asked for",
            )
        val data: ByteBuffer = reader.bytes(length)
        if (data.int != export.allocation) throw NbdProtocolException("a status of another context")
        val extents = ArrayList<Extent>()
        var at = pending.offset
        while (data.hasRemaining()) {
            val count = data.int.toLong() and 0xffffffffL
            val hole = data.int and UNALLOCATED == UNALLOCATED
            if (count == 0L) throw NbdProtocolException("an extent of no bytes")
            val kept = minOf(count, pending.offset + pending.length - at)
            if (kept > 0) extents += Extent(at, kept, hole)
            at += kept
        }
        pending.reply.extents = extents
    }

    private fun error(pending: Pending, length: Long) {
        reader.require(6)
        val errno = reader.int()
        val said = reader.unsignedShort()
        if (errno == Errno.OK || said > minOf(
                Nbd.MAX_STRING.toLong(),
                length - 6,
            )
        )
            throw NbdProtocolException("an error chunk of $length bytes")
        val text = reader.bytes(said)
        reader.skip(length - 6 - said)
        if (pending.reply.errno != Errno.OK) return
        pending.reply.errno = errno
        pending.reply.message = String(text.array(), Charsets.UTF_8).filterNot(Char::isISOControl)
    }

    private companion object {
        const val UNALLOCATED = Nbd.STATE_HOLE or Nbd.STATE_ZERO
        const val MAX_STATUS = 4L + 8 * (1 shl 20)
        const val MAX_ERROR = 6L + Nbd.MAX_STRING + 64
    }
}
