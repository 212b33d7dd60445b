package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.wire.GoOption
import dev.arraywright.hardware.nbd.wire.MalformedOptionException
import dev.arraywright.hardware.nbd.wire.MetaContextOption
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.NbdProtocolException
import dev.arraywright.hardware.nbd.wire.WireReader
import dev.arraywright.hardware.nbd.wire.WireWriter
import dev.arraywright.hardware.nbd.wire.utf8
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import java.io.EOFException
import java.nio.ByteBuffer

/**
 * What the server said of the export.
 *
 * @property minBlock smallest unit of requests in bytes
 * @property allocation the server's id of `base:allocation`, or null if it has none
 */
internal data class RemoteExport(
    val size: Long,
    val flags: Int,
    val minBlock: Int,
    val preferredBlock: Int,
    val maxPayload: Int,
    val structured: Boolean,
    val allocation: Int?,
    val description: String,
) {
    fun can(flag: Int): Boolean = flags and flag != 0
}

/** The client's side of the negotiation; what the server sends is bounded, time is the caller's to bound. */
internal class ClientHandshake(
    private val reader: WireReader,
    private val writer: WireWriter,
    private val name: String,
) {
    private class OptionReply(val type: Int, val data: ByteBuffer) {
        val isError: Boolean get() = type < 0
    }

    private var noZeroes = false
    private var structured = false
    private var allocation: Int? = null
    private var size = -1L
    private var flags = 0
    private var blocks: IntArray? = null
    private var description = ""

    /**
     * Enters the transmission phase.
     *
     * @throws DriverException if the server refuses, in words for an operator
     */
    fun negotiate(): RemoteExport {
        if (greet()) {
            structured = ask(Nbd.Option.STRUCTURED_REPLY, ByteArray(0)) {}.type == Nbd.Rep.ACK
            if (structured) askForAllocation()
            if (!go()) exportName()
        } else {
            exportName()
        }
        return described()
    }

    /** Whether the server takes options other than EXPORT_NAME. */
    private fun greet(): Boolean {
        reader.require(16)
        if (reader.long() != Nbd.INIT_MAGIC) throw NbdProtocolException("no NBD server answers there")
        if (reader.long() != Nbd.OPTION_MAGIC) {
            throw DriverException(
                Reason.UNSUPPORTED,
                "the server speaks the old style of NBD",
                "update it or start it with named exports",
            )
        }
        reader.require(2)
        val offered = reader.unsignedShort()
        val taken = offered and (Nbd.Handshake.FIXED_NEWSTYLE or Nbd.Handshake.NO_ZEROES)
        noZeroes = taken and Nbd.Handshake.NO_ZEROES != 0
        writer.header(4).putInt(taken)
        writer.flush()
        return taken and Nbd.Handshake.FIXED_NEWSTYLE != 0
    }

    private fun askForAllocation() {
        var found: Int? = null
        val data = MetaContextOption(name, listOf(Nbd.ALLOCATION_CONTEXT)).encode()
        val last = ask(Nbd.Option.SET_META_CONTEXT, data) {
            if (it.type == Nbd.Rep.META_CONTEXT && it.data.remaining() >= 4) {
                val id = it.data.int
                if (it.data.text("context") == Nbd.ALLOCATION_CONTEXT) found = id
            }
        }
        if (last.type == Nbd.Rep.ACK) allocation = found
    }

    /** False if the server does not know GO. */
    private fun go(): Boolean {
        val wanted = listOf(Nbd.Info.BLOCK_SIZE, Nbd.Info.DESCRIPTION)
        val last = ask(Nbd.Option.GO, GoOption(name, wanted).encode()) { if (it.type == Nbd.Rep.INFO) info(it.data) }
        if (last.type == Nbd.Rep.ERR_UNSUP) return false
        if (last.isError) throw refusal(last)
        if (size < 0) throw NbdProtocolException("GO was granted without the export's size")
        return true
    }

    private fun info(data: ByteBuffer) {
        if (data.remaining() < 2) throw NbdProtocolException("an information of ${data.remaining()} bytes")
        when (data.short.toInt() and 0xffff) {
            Nbd.Info.EXPORT -> {
                if (data.remaining() != 10)
                    throw NbdProtocolException(
                        "an export's information of ${data.remaining()} bytes",
                    )
                sized(data.long, data.short.toInt() and 0xffff)
            }
            Nbd.Info.BLOCK_SIZE -> {
                if (data.remaining() != 12) throw NbdProtocolException("block sizes of ${data.remaining()} bytes")
                blocks = IntArray(3) { data.int }
            }
            Nbd.Info.DESCRIPTION -> description = data.text("description")
        }
    }

    private fun exportName() {
        val bytes = name.encodeToByteArray()
        writer.header(
            16 + bytes.size,
        ).putLong(Nbd.OPTION_MAGIC).putInt(Nbd.Option.EXPORT_NAME).putInt(bytes.size).put(bytes)
        writer.flush()
        try {
            reader.require(10)
        } catch (e: EOFException) {
            throw DriverException(
                Reason.NOT_FOUND,
                "the server hung up on the export '$name'",
                "check the export's name",
                e,
            )
        }
        sized(reader.long(), reader.unsignedShort())
        if (!noZeroes) reader.skip(Nbd.EXPORT_NAME_PADDING.toLong())
    }

    private fun sized(bytes: Long, transmission: Int) {
        if (bytes < 0) throw NbdProtocolException("an export of ${bytes.toULong()} bytes")
        if (transmission and Nbd.Can.HAS_FLAGS == 0)
            throw NbdProtocolException(
                "transmission flags 0x%x".format(transmission),
            )
        size = bytes
        flags = transmission
    }

    private fun described(): RemoteExport {
        // Without a word from the server 512 is what every server takes, unless the size is odd.
        val (min, preferred, max) = blocks?.toList() ?: listOf(if (size % 512 == 0L) 512 else 1, 4096, Nbd.SAFE_PAYLOAD)
        val payload = minOf(max.toUInt(), Nbd.SAFE_PAYLOAD.toUInt()).toInt() and (min - 1).inv()
        val powers = min.countOneBits() == 1 && preferred.countOneBits() == 1
        if (!powers || min !in 1..Nbd.MAX_MINIMUM_BLOCK || preferred < min || payload == 0) {
            throw NbdProtocolException("block sizes $min, ${preferred.toUInt()}, ${max.toUInt()}")
        }
        val usable = size and (min - 1L).inv()
        return RemoteExport(usable, flags, min, preferred, payload, structured, allocation, description)
    }

    /** Sends an option and gives each reply to [each]; returns the last one. */
    private fun ask(option: Int, data: ByteArray, each: (OptionReply) -> Unit): OptionReply {
        writer.header(16 + data.size).putLong(Nbd.OPTION_MAGIC).putInt(option).putInt(data.size).put(data)
        writer.flush()
        repeat(MAX_REPLIES) {
            reader.require(20)
            val magic = reader.long()
            val echoed = reader.int()
            if (magic != Nbd.OPTION_REPLY_MAGIC || echoed != option) {
                throw NbdProtocolException("a reply to option $echoed with magic 0x%016x".format(magic))
            }
            val type = reader.int()
            val length = reader.unsignedInt()
            if (length > MAX_REPLY) throw NbdProtocolException("a reply of $length bytes to option $option")
            val reply = OptionReply(type, reader.bytes(length.toInt()))
            if (reply.isError || type == Nbd.Rep.ACK) return reply
            each(reply)
        }
        throw NbdProtocolException("more than $MAX_REPLIES replies to option $option")
    }

    private fun refusal(reply: OptionReply): DriverException {
        val said = reply.data.text("message").ifEmpty { "no reason given" }
        return when (reply.type) {
            Nbd.Rep.ERR_UNKNOWN -> DriverException(
                Reason.NOT_FOUND,
                "there is no export '$name': $said",
                "check the export's name",
            )
            Nbd.Rep.ERR_TLS_REQD -> DriverException(
                Reason.UNSUPPORTED,
                "the server insists on TLS: $said",
                "serve the export without TLS",
            )
            Nbd.Rep.ERR_POLICY -> DriverException(
                Reason.NO_PERMISSION,
                "the server refuses '$name': $said",
                "see the server's policy",
            )
            Nbd.Rep.ERR_SHUTDOWN -> DriverException(
                Reason.UNREACHABLE,
                "the server is shutting down: $said",
                "try again later",
            )
            else -> DriverException(
                Reason.FAILED,
                "the server refuses '$name' with error ${reply.type and Int.MAX_VALUE}: $said",
                "",
            )
        }
    }

    private fun ByteBuffer.text(what: String): String = try {
        utf8(remaining(), what)
    } catch (e: MalformedOptionException) {
        throw NbdProtocolException("the server sent ${e.message}")
    }

    private companion object {
        const val MAX_REPLIES = 64
        const val MAX_REPLY = 1L shl 14
    }
}
