package dev.arraywright.kernel.event.journal

import java.io.ByteArrayOutputStream
import java.io.InputStream

/** Divides [input] into lines and parses each; holds one at a time, and of a line that is too long only its size. */
internal class RecordScanner(input: InputStream, private var offset: Long = 0) {
    private val input = input.buffered(BUFFER)
    private val line = ByteArrayOutputStream()

    /** The next line, null at the end. */
    fun next(): Scanned? {
        line.reset()
        var bytes = 0L
        while (true) {
            val byte = input.read()
            if (byte < 0 && bytes == 0L) return null
            if (byte < 0 || byte == NEWLINE) return scanned(bytes + if (byte < 0) 0 else 1, byte == NEWLINE)
            bytes++
            if (bytes < JournalFormat.LONGEST) line.write(byte)
        }
    }

    private fun scanned(bytes: Long, ended: Boolean): Scanned {
        val parsed = when {
            !ended -> Parsed.Bad("the record ends early")
            bytes > JournalFormat.LONGEST -> Parsed.Bad("no record has $bytes bytes")
            else -> JournalFormat.parse(line.toByteArray())
        }
        return Scanned(offset, bytes, ended, parsed).also { offset += bytes }
    }

    private companion object {
        const val BUFFER = 64 * 1024
        const val NEWLINE = '\n'.code
    }
}

/** A line at [offset] of [bytes] bytes with its newline; not [ended] where that is missing, as where a write goes on. */
internal class Scanned(val offset: Long, val bytes: Long, val ended: Boolean, val parsed: Parsed) {
    val end: Long get() = offset + bytes
}
