package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.event.KernelEvent
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import java.util.zip.CRC32C

/**
 * One event on disk, a line of UTF-8 that `grep` and `jq` can read too:
 *
 * ```
 *   0   1   2                           10  11
 * +---+---+---------------------------+---+------------------------- - - -+----+
 * | 1 |   |  8f5b2c01                 |   | {"sequence":17,"time":"2026…  | \n |
 * +---+---+---------------------------+---+------------------------- - - -+----+
 *  version  CRC-32C of the payload,         payload: the event as JSON,     end
 *           lower-case hexadecimal          which has no newline
 * ```
 *
 * A line is at most [LONGEST] bytes. Fields that a reader does not know are no reason for another version.
 */
internal object JournalFormat {
    const val VERSION: Char = '1'
    const val LONGEST: Int = 1 shl 20
    private const val CHECKSUM_AT = 2
    private const val PAYLOAD_AT = 11
    private const val DEEPEST = 32

    /** As far as every JSON reader has whole numbers. */
    const val LAST_SEQUENCE: Long = (1L shl 53) - 1

    private val json = Json

    /** The whole line, its newline included; null if it would be longer than [LONGEST]. */
    fun encode(event: KernelEvent): ByteArray? {
        val payload = json.encodeToString(event).encodeToByteArray()
        if (payload.size > LONGEST - PAYLOAD_AT - 1) return null
        return "$VERSION ${checksum(payload)} ".encodeToByteArray() + payload + '\n'.code.toByte()
    }

    /** Reads a [line] without its newline. */
    fun parse(line: ByteArray): Parsed {
        if (line.size < PAYLOAD_AT) return Parsed.Bad("the record ends early")
        if (line[1] != SPACE || line[PAYLOAD_AT - 1] != SPACE) return Parsed.Bad("no record begins here")
        val payload = line.copyOfRange(PAYLOAD_AT, line.size)
        val checksum = String(line, CHECKSUM_AT, PAYLOAD_AT - 1 - CHECKSUM_AT, Charsets.ISO_8859_1)
        if (checksum != checksum(payload)) return Parsed.Bad("its checksum is wrong")
        val version = line[0].toInt().toChar()
        if (version != VERSION) return Parsed.Newer("its version is '$version', this program reads $VERSION")
        if (depth(payload) > DEEPEST) return Parsed.Bad("it is nested more than $DEEPEST deep")
        return decode(payload)
    }

    private fun decode(payload: ByteArray): Parsed {
        val event = try {
            json.decodeFromString<KernelEvent>(String(payload, Charsets.UTF_8))
        } catch (e: SerializationException) {
            return Parsed.Bad("it is no event: ${e.message.orEmpty().lineSequence().first()}")
        }
        if (event.sequence !in 1..LAST_SEQUENCE) return Parsed.Bad("no event has the sequence number ${event.sequence}")
        return Parsed.Whole(event)
    }

    private fun checksum(payload: ByteArray): String =
        CRC32C().apply { update(payload) }.value.toInt().toHexString()

    /** How deep brackets nest: the JSON reader goes as deep on its stack. */
    private fun depth(payload: ByteArray): Int {
        var depth = 0
        var deepest = 0
        var quoted = false
        var escaped = false
        for (byte in payload) {
            when {
                escaped -> escaped = false
                quoted && byte == BACKSLASH -> escaped = true
                byte == QUOTE -> quoted = !quoted
                quoted -> Unit
                byte == OBJECT || byte == ARRAY -> deepest = maxOf(deepest, ++depth)
                byte == OBJECT_END || byte == ARRAY_END -> depth--
            }
        }
        return deepest
    }

    private const val SPACE = ' '.code.toByte()
    private const val QUOTE = '"'.code.toByte()
    private const val BACKSLASH = '\\'.code.toByte()
    private const val OBJECT = '{'.code.toByte()
    private const val OBJECT_END = '}'.code.toByte()
    private const val ARRAY = '['.code.toByte()
    private const val ARRAY_END = ']'.code.toByte()
}

/** What a line is. */
internal sealed interface Parsed {
    /** An event. */
    data class Whole(val event: KernelEvent) : Parsed

    /** Written by a newer version, and whole. */
    data class Newer(val why: String) : Parsed

    /** Nothing that any version wrote. */
    data class Bad(val why: String) : Parsed
}
