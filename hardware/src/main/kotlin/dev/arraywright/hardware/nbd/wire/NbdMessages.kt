package dev.arraywright.hardware.nbd.wire

import java.io.IOException
import java.nio.ByteBuffer

/** The peer broke the protocol; the connection cannot be trusted to be in step any more. */
internal class NbdProtocolException(message: String) : IOException(message)

/**
 * A request of the transmission phase, 28 bytes; a WRITE is followed by `length` bytes.
 * ```
 * 0 magic:4  4 flags:2  6 command:2  8 cookie:8  16 offset:8  24 length:4
 * ```
 * @property offset unsigned on the wire; one past 2^63 shows as negative
 */
internal data class NbdRequest(
    val flags: Int,
    val command: Int,
    val cookie: Long,
    val offset: Long,
    val length: Long,
) {
    fun has(flag: Int): Boolean = flags and flag != 0

    fun encode(into: ByteBuffer) {
        into.putInt(Nbd.REQUEST_MAGIC).putShort(flags.toShort()).putShort(command.toShort())
        into.putLong(cookie).putLong(offset).putInt(length.toInt())
    }

    companion object {
        const val BYTES: Int = 28

        fun decode(from: WireReader): NbdRequest {
            from.require(BYTES)
            val magic = from.int()
            if (magic != Nbd.REQUEST_MAGIC) throw NbdProtocolException("request magic 0x%08x".format(magic))
            val flags = from.unsignedShort()
            val command = from.unsignedShort()
            return NbdRequest(flags, command, from.long(), from.long(), from.unsignedInt())
        }
    }
}

/** `0 magic:4  4 errno:4  8 cookie:8`, then the data if it answers a READ that went well. */
internal object SimpleReply {
    const val BYTES: Int = 16

    fun encode(into: ByteBuffer, errno: Int, cookie: Long) {
        into.putInt(Nbd.SIMPLE_REPLY_MAGIC).putInt(errno).putLong(cookie)
    }
}

/** `0 magic:4  4 flags:2  6 type:2  8 cookie:8  16 length:4`, then `length` bytes of the chunk's own. */
internal object ChunkHeader {
    const val BYTES: Int = 20

    fun encode(into: ByteBuffer, flags: Int, type: Int, cookie: Long, length: Int) {
        into.putInt(Nbd.CHUNK_MAGIC).putShort(flags.toShort()).putShort(type.toShort())
        into.putLong(cookie).putInt(length)
    }
}
