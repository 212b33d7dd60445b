package dev.arraywright.hardware.nbd.wire

import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

/** Data of an option that cannot be read as what it should be; the option is answered with an error. */
internal class MalformedOptionException(message: String) : Exception(message)

/**
 * Data of `INFO` and `GO`:
 * ```
 * nameLength:4  name  count:2  count * info:2
 * ```
 */
internal data class GoOption(val name: String, val wanted: List<Int>) {
    fun encode(): ByteArray {
        val bytes = name.encodeToByteArray()
        val out = ByteBuffer.allocate(6 + bytes.size + 2 * wanted.size)
        out.putInt(bytes.size).put(bytes).putShort(wanted.size.toShort())
        wanted.forEach { out.putShort(it.toShort()) }
        return out.array()
    }

    companion object {
        fun decode(data: ByteBuffer): GoOption {
            val name = data.string("name", 2)
            val count = data.short.toInt() and 0xffff
            if (data.remaining() != 2 * count)
                throw MalformedOptionException(
                    "$count items in ${data.remaining()} bytes",
                )
            return GoOption(name, List(count) { data.short.toInt() and 0xffff })
        }
    }
}

/**
 * Data of `LIST_META_CONTEXT` and `SET_META_CONTEXT`:
 * ```
 * nameLength:4  name  count:4  count * (queryLength:4  query)
 * ```
 */
internal data class MetaContextOption(val name: String, val queries: List<String>) {
    fun encode(): ByteArray {
        val texts = (listOf(name) + queries).map { it.encodeToByteArray() }
        val out = ByteBuffer.allocate(4 + texts.sumOf { 4 + it.size })
        out.putInt(texts[0].size).put(texts[0]).putInt(queries.size)
        texts.drop(1).forEach { out.putInt(it.size).put(it) }
        return out.array()
    }

    companion object {
        fun decode(data: ByteBuffer): MetaContextOption {
            val name = data.string("name", 4)
            val count = data.int
            if (count < 0 || count > data.remaining() / 4) {
                throw MalformedOptionException("${count.toUInt()} queries in ${data.remaining()} bytes")
            }
            val queries = List(count) { data.string("query", 0) }
            if (data.hasRemaining()) throw MalformedOptionException("${data.remaining()} bytes after the last query")
            return MetaContextOption(name, queries)
        }
    }
}

/** A string led by its length of four bytes; at least [after] bytes have to follow it. */
private fun ByteBuffer.string(what: String, after: Int): String {
    if (remaining() < 4 + after) throw MalformedOptionException("no room for a $what")
    val length = int
    if (length < 0 || length > remaining() - after) {
        throw MalformedOptionException("a $what of ${length.toUInt()} bytes in ${remaining()}")
    }
    return utf8(length, what)
}

/** Takes [length] bytes as a string of the protocol: UTF-8, no NUL, at most 4096 bytes. */
internal fun ByteBuffer.utf8(length: Int, what: String): String {
    if (length > Nbd.MAX_STRING) throw MalformedOptionException("a $what of $length bytes is over ${Nbd.MAX_STRING}")
    val bytes = slice(position(), length)
    position(position() + length)
    val text =
        try {
            Charsets.UTF_8.newDecoder().decode(bytes).toString()
        } catch (_: CharacterCodingException) {
            throw MalformedOptionException("a $what that is no UTF-8")
        }
    if ('\u0000' in text) throw MalformedOptionException("a zero byte in a $what")
    return text
}
