package dev.arraywright.kernel.driver.scan

import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder

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

    fun startsLikeZip(file: RandomAccessFile): Boolean =
        file.length() >= 4 && read(file, 0, 4).getInt(0).let { it == LOCAL || it == END }

    private fun zip64(file: RandomAccessFile, at: Long): Long? {
        if (at < 0 || at > file.length() - ZIP64_END_LENGTH) return null
        val record = read(file, at, ZIP64_END_LENGTH)
        val claimed = record.getLong(40)
        return if (record.getInt(0) == ZIP64_END) claimed.takeIf { it >= 0 } ?: Long.MAX_VALUE else null
    }

    private fun read(file: RandomAccessFile, at: Long, length: Int): ByteBuffer {
        val bytes = ByteArray(length)
        file.seek(at)
        file.readFully(bytes)
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
    }

    private const val LOCAL = 0x04034b50
    private const val END = 0x06054b50
    private const val LOCATOR = 0x07064b50
    private const val ZIP64_END = 0x06064b50
    private const val ZIP64_END_LENGTH = 56
    private const val ZIP64 = 0xFFFF_FFFFL

    /** The end with the longest comment there can be, and the locator before it. */
    private const val TAIL = 22 + 0xFFFF + 20
}
