package dev.arraywright.kernel.driver.scan

import java.io.EOFException
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.FileChannel

/**
 * The records at the end of a zip that say how long its table of contents is. [java.util.zip.ZipFile] reads the whole
 * table at once, so what it would believe is looked at first.
 *
 * ```
 * end            0  signature PK 5 6   12 u32 length of the table, or -1: see zip64   16 u32 its offset
 * zip64 locator  0  signature PK 6 7    8 u64 offset of the zip64 end
 * zip64 end      0  signature PK 6 6   40 u64 length of the table
 * ```
 */
internal object ZipEnd {
    /** The longest table of contents that any record at the end of [file] claims; null if there is none. */
    fun tableLength(file: RandomAccessFile): Long? {
        val length = file.length()
        val tail = read(file, maxOf(0, length - TAIL), minOf(length, TAIL.toLong()).toInt())
        var longest: Long? = null
        for (at in 0..tail.limit() - 4) {
            val claimed = when (tail.getInt(at)) {
                END -> if (at + 22 <= tail.limit()) tail.getInt(at + 12).toLong() and 0xFFFF_FFFFL else null
                LOCATOR -> if (at + 20 <= tail.limit()) zip64(file, tail.getLong(at + 8)) else null
                else -> null
            }
            if (claimed != null && claimed != ZIP64) longest = maxOf(claimed, longest ?: 0)
        }
        return longest
    }

    /** Where the table of contents is, how many entries are in it, and by how much all offsets are too small. */
    class Table(val start: Long, val length: Long, val entries: Long, val offset: Long) {
        val shift: Long = start - offset
    }

    /**
     * The one table of contents, by a record at the very end of the file.
     *
     * @throws UnfitJar if there is none, or what could be taken for another
     */
    fun table(channel: FileChannel): Table {
        val from = maxOf(0, channel.size() - TAIL)
        val tail = read(channel, from, (channel.size() - from).toInt())
        // The last that looks like it, since that is where readers begin.
        val at = (tail.limit() - 4 downTo 0).firstOrNull { tail.getInt(it) == END }
        if (at == null || at + END_LENGTH > tail.limit()) throw UnfitJar("is damaged: it does not end like a zip")
        if (at + END_LENGTH + tail.u16(
                at + 20,
            ) != tail.limit()
        )
            throw UnfitJar("has bytes behind its end, or lacks some")
        val end = from + at
        val short = Table(end - tail.u32(at + 12), tail.u32(at + 12), tail.u16(at + 10).toLong(), tail.u32(at + 16))
        val table = wide(channel, end, short)
        if (tail.getInt(at + 4) != 0 || tail.u16(at + 8) != tail.u16(at + 10)) throw UnfitJar("is a part of a zip")
        if (table.start < 0 || table.shift < 0 || table.length > Int.MAX_VALUE - 8) {
            throw UnfitJar("is damaged: its table of contents is not where it says")
        }
        return table
    }

    /** The zip64 record's, if there is one just before the [end]: then the two have to agree. */
    private fun wide(channel: FileChannel, end: Long, short: Table): Table {
        if (end < LOCATOR_LENGTH + ZIP64_END_LENGTH) return short
        val locator = read(channel, end - LOCATOR_LENGTH, LOCATOR_LENGTH)
        if (locator.getInt(0) != LOCATOR) return short
        val at = end - LOCATOR_LENGTH - ZIP64_END_LENGTH
        val record = read(channel, at, ZIP64_END_LENGTH)
        val length = record.getLong(40)
        val wide = Table(at - length, length, record.getLong(32), record.getLong(48))
        val agreed = locator.getLong(8) == at && record.getInt(0) == ZIP64_END && length in 0..at &&
            (short.length == ZIP64 || short.length == wide.length) &&
            (short.offset == ZIP64 || short.offset == wide.offset) &&
            (short.entries == 0xFFFFL || short.entries == wide.entries)
        if (!agreed) throw UnfitJar("is damaged: the records at its end disagree")
        return wide
    }

    fun startsLikeZip(file: RandomAccessFile): Boolean =
        file.length() >= 4 && read(file, 0, 4).getInt(0).let { it == LOCAL || it == END }

    private fun zip64(file: RandomAccessFile, at: Long): Long? {
        if (at < 0 || at > file.length() - ZIP64_END_LENGTH) return null
        val record = read(file, at, ZIP64_END_LENGTH)
        val claimed = record.getLong(40)
        return if (record.getInt(0) == ZIP64_END) claimed.takeIf { it >= 0 } ?: Long.MAX_VALUE else null
    }

    /** @throws EOFException if they are not all there */
    fun read(channel: FileChannel, at: Long, length: Int): ByteBuffer {
        val bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN)
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, at + bytes.position()) < 0) throw EOFException()
        }
        return bytes.flip()
    }

    private fun read(file: RandomAccessFile, at: Long, length: Int): ByteBuffer {
        val bytes = ByteArray(length)
        file.seek(at)
        file.readFully(bytes)
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
    }

    private const val LOCAL = 0x04034b50
    private const val END = 0x06054b50
    private const val END_LENGTH = 22
    private const val LOCATOR_LENGTH = 20
    private const val LOCATOR = 0x07064b50
    private const val ZIP64_END = 0x06064b50
    private const val ZIP64_END_LENGTH = 56
    private const val ZIP64 = 0xFFFF_FFFFL

    /** The end with the longest comment there can be, and the locator before it. */
    private const val TAIL = 22 + 0xFFFF + 20
}

internal fun ByteBuffer.u16(at: Int): Int = getShort(at).toInt() and 0xFFFF

internal fun ByteBuffer.u32(at: Int): Long = getInt(at).toLong() and 0xFFFF_FFFFL
