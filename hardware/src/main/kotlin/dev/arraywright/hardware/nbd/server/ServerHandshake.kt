package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.wire.GoOption
import dev.arraywright.hardware.nbd.wire.MalformedOptionException
import dev.arraywright.hardware.nbd.wire.MetaContextOption
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.NbdProtocolException
import dev.arraywright.hardware.nbd.wire.WireReader
import dev.arraywright.hardware.nbd.wire.WireWriter
import dev.arraywright.hardware.nbd.wire.utf8
import java.nio.ByteBuffer

/** What a client and the server agreed on. */
internal class Session(
    val live: LiveExport,
    val structured: Boolean,
    val allocation: Boolean,
    val maxPayload: Int,
)

/** The exports as a handshake sees them. */
internal interface ExportDirectory {
    fun find(name: String): LiveExport?

    fun list(): List<NbdExport>

    /** True once the server is closing and takes no one in. */
    val closing: Boolean
}

/**
 * The server's side of the fixed newstyle negotiation. A client can make it read [MAX_OPTIONS] options of
 * [MAX_OPTION_BYTES] at most; time is the caller's to bound.
 */
internal class ServerHandshake(
    private val reader: WireReader,
    private val writer: WireWriter,
    private val exports: ExportDirectory,
    private val maxPayload: Int,
) {
    private var noZeroes = false
    private var structured = false

    /** The export for which `base:allocation` is selected. */
    private var allocationOf: LiveExport? = null

    /** Null if the client said good-bye before choosing an export. */
    fun negotiate(): Session? {
        greet()
        repeat(MAX_OPTIONS) {
            if (!reader.awaitByte()) return null
            reader.require(16)
            val magic = reader.long()
            if (magic != Nbd.OPTION_MAGIC) throw NbdProtocolException("option magic 0x%016x".format(magic))
            val option = reader.int()
            val length = reader.unsignedInt()
            if (option == Nbd.Option.ABORT) {
                reply(option, Nbd.Rep.ACK)
                return null
            }
            answer(option, length)?.let { return it }
        }
        throw NbdProtocolException("more than $MAX_OPTIONS options")
    }

    private fun greet() {
        writer.header(18).putLong(Nbd.INIT_MAGIC).putLong(Nbd.OPTION_MAGIC).putShort(OFFERED.toShort())
        writer.flush()
        reader.require(4)
        val flags = reader.int()
        if (flags and OFFERED.inv() != 0) throw NbdProtocolException("client flags 0x%x".format(flags))
        noZeroes = flags and Nbd.Handshake.NO_ZEROES != 0
    }

    /** The session, if this option ended the haggling. */
    private fun answer(option: Int, length: Long): Session? {
        if (length > MAX_OPTION_BYTES) {
            if (option == Nbd.Option.EXPORT_NAME || length > MAX_SKIPPED)
                throw NbdProtocolException(
                    "option $option of $length bytes",
                )
            reader.skip(length)
            reply(option, Nbd.Rep.ERR_TOO_BIG, "$length bytes are too many")
            return null
        }
        val data = reader.bytes(length.toInt())
        try {
            when (option) {
                Nbd.Option.EXPORT_NAME -> return exportName(data)
                Nbd.Option.GO, Nbd.Option.INFO -> if (!refusedAtClose(
                        option,
                    )
                )
                    return info(option, GoOption.decode(data))
                Nbd.Option.LIST -> if (!refusedAtClose(option)) list(data)
                Nbd.Option.STRUCTURED_REPLY -> structuredReply(data)
                Nbd.Option.LIST_META_CONTEXT -> metaContext(option, MetaContextOption.decode(data))
                Nbd.Option.SET_META_CONTEXT -> {
                    allocationOf = null
                    metaContext(option, MetaContextOption.decode(data))
                }
                Nbd.Option.STARTTLS -> reply(option, Nbd.Rep.ERR_UNSUP, "this server has no TLS")
                else -> reply(option, Nbd.Rep.ERR_UNSUP, "option ${option.toUInt()} is not known")
            }
        } catch (e: MalformedOptionException) {
            if (option == Nbd.Option.EXPORT_NAME) throw NbdProtocolException("no export name: ${e.message}")
            reply(option, Nbd.Rep.ERR_INVALID, e.message)
        }
        return null
    }

    private fun refusedAtClose(option: Int): Boolean {
        if (exports.closing) reply(option, Nbd.Rep.ERR_SHUTDOWN, "the server is closing")
        return exports.closing
    }

    private fun exportName(data: ByteBuffer): Session {
        val name = data.utf8(data.remaining(), "name")
        val live = exports.find(name).takeUnless { exports.closing } ?: throw NbdProtocolException("no export '$name'")
        val padding = if (noZeroes) 0 else Nbd.EXPORT_NAME_PADDING
        val out = writer.header(10 + padding)
        out.putLong(live.export.device.info().size()).putShort(live.export.flags(structured).toShort())
        out.put(ByteArray(padding))
        writer.flush()
        return session(live)
    }

    private fun info(option: Int, go: GoOption): Session? {
        val live = exports.find(go.name)
        if (live == null) {
            reply(option, Nbd.Rep.ERR_UNKNOWN, "no export '${go.name}'")
            return null
        }
        val export = live.export
        val device = export.device.info()
        info(option, Nbd.Info.EXPORT, 10) { putLong(device.size()).putShort(export.flags(structured).toShort()) }
        if (Nbd.Info.BLOCK_SIZE in go.wanted) {
            info(option, Nbd.Info.BLOCK_SIZE, 12) {
                putInt(device.logicalBlockSize()).putInt(preferredBlock(export)).putInt(maxPayload)
            }
        }
        if (Nbd.Info.NAME in go.wanted) text(option, Nbd.Info.NAME, export.name)
        if (Nbd.Info.DESCRIPTION in go.wanted && export.description.isNotEmpty()) {
            text(option, Nbd.Info.DESCRIPTION, export.description)
        }
        reply(option, Nbd.Rep.ACK)
        return if (option == Nbd.Option.GO) session(live) else null
    }

    private fun session(live: LiveExport) = Session(live, structured, allocationOf === live, maxPayload)

    private fun preferredBlock(export: NbdExport): Int =
        maxOf(export.device.info().physicalBlockSize(), 4096).coerceAtMost(maxPayload.takeHighestOneBit())

    private fun list(data: ByteBuffer) {
        if (data.hasRemaining()) throw MalformedOptionException("LIST has no data")
        for (export in exports.list()) {
            val name = export.name.encodeToByteArray()
            val description = export.description.encodeToByteArray()
            header(
                Nbd.Option.LIST,
                Nbd.Rep.SERVER,
                4 + name.size + description.size,
            ).putInt(name.size).put(name).put(description)
        }
        reply(Nbd.Option.LIST, Nbd.Rep.ACK)
    }

    private fun structuredReply(data: ByteBuffer) {
        if (data.hasRemaining()) throw MalformedOptionException("STRUCTURED_REPLY has no data")
        structured = true
        reply(Nbd.Option.STRUCTURED_REPLY, Nbd.Rep.ACK)
    }

    private fun metaContext(option: Int, request: MetaContextOption) {
        if (!structured) throw MalformedOptionException("structured replies come first")
        val live = exports.find(request.name)
        if (live == null) {
            reply(option, Nbd.Rep.ERR_UNKNOWN, "no export '${request.name}'")
            return
        }
        val listing = option == Nbd.Option.LIST_META_CONTEXT
        val wild = listing && (request.queries.isEmpty() || "base:" in request.queries)
        if (wild || Nbd.ALLOCATION_CONTEXT in request.queries) {
            val name = Nbd.ALLOCATION_CONTEXT.encodeToByteArray()
            header(option, Nbd.Rep.META_CONTEXT, 4 + name.size).putInt(if (listing) 0 else ALLOCATION_ID).put(name)
            if (!listing) allocationOf = live
        }
        reply(option, Nbd.Rep.ACK)
    }

    private fun text(option: Int, type: Int, text: String) {
        val bytes = text.encodeToByteArray()
        info(option, type, bytes.size) { put(bytes) }
    }

    private fun info(option: Int, type: Int, size: Int, fill: ByteBuffer.() -> Unit) {
        header(option, Nbd.Rep.INFO, 2 + size).putShort(type.toShort()).fill()
    }

    private fun reply(option: Int, type: Int, message: String? = null) {
        val text = message.orEmpty().encodeToByteArray().let { if (it.size > Nbd.MAX_STRING) ByteArray(0) else it }
        header(option, type, text.size).put(text)
        writer.flush()
    }

    private fun header(option: Int, type: Int, length: Int): ByteBuffer =
        writer.header(20 + length).putLong(Nbd.OPTION_REPLY_MAGIC).putInt(option).putInt(type).putInt(length)

    companion object {
        /** Metadata context id of `base:allocation` in this server's replies. */
        const val ALLOCATION_ID: Int = 1
        const val MAX_OPTIONS: Int = 256
        const val MAX_OPTION_BYTES: Long = 1L shl 14
        const val MAX_SKIPPED: Long = 1L shl 20
        private const val OFFERED = Nbd.Handshake.FIXED_NEWSTYLE or Nbd.Handshake.NO_ZEROES
    }
}
