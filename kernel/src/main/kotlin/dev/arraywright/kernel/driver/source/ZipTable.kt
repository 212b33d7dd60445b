package dev.arraywright.kernel.driver.source

import java.io.IOException
import java.io.RandomAccessFile
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.file.Path
import java.util.zip.CRC32

/**
 * Whether a zip is there to its end, which is where it is written last: the record at the end, and before it the table
 * of contents whose length it tells. A jar that is stored in another ends like that as well, and half of the outer one
 * may end with it: but what it tells of its beginning is not the file's. Nothing is inflated.
 *
 * ```
 * end            0  signature PK 5 6   12 u32 length of the table, or -1: see zip64   16 u32 its offset
 *               20 u16 length of the comment
 * zip64 locator  0  signature PK 6 7    8 u64 offset of the zip64 end; just before the end
 * zip64 end      0  signature PK 6 6   40 u64 length of the table                      48 u64 its offset
 * ```
 */
internal object ZipTable {
    /** @throws IOException if it cannot be read */
    fun read(path: Path): Contents = RandomAccessFile(path.toFile(), "r").use { file ->
        val length = file.length()
        if (length == 0L) return Contents.Incomplete("is empty")
        val from = maxOf(0, length - TAIL)
        val tail = read(file, from, (length - from).toInt())
        for (at in tail.limit() - END_LENGTH downTo 0) {
            if (tail.getInt(at) != END) continue
            val comment = tail.getShort(at + 20).toInt() and 0xFFFF
            if (at + END_LENGTH + comment > tail.limit()) continue
            table(file, from + at, tail.unsigned(at + 12), tail.unsigned(at + 16))?.let { return it }
        }
        Contents.Incomplete("is no complete zip: there is no table of contents at its end")
    }

    private fun table(file: RandomAccessFile, end: Long, claimed: Long, offset: Long): Contents? {
        if (claimed != UNSIGNED && offset != UNSIGNED) return checksum(file, end - claimed, claimed, offset)
        if (end < LOCATOR_LENGTH) return null
        val locator = read(file, end - LOCATOR_LENGTH, LOCATOR_LENGTH)
        val at = locator.getLong(8)
        if (locator.getInt(0) != LOCATOR || at < 0 || at > end - LOCATOR_LENGTH - ZIP64_END_LENGTH) return null
        val record = read(file, at, ZIP64_END_LENGTH)
        val length = record.getLong(40)
        if (record.getInt(0) != ZIP64_END || length < 0) return null
        return checksum(file, at - length, length, record.getLong(48))
    }

    private fun checksum(file: RandomAccessFile, at: Long, length: Long, offset: Long): Contents? {
        if (at < 0) return null
        // A program may stand before the first entry, and shift all offsets.
        if (at != offset && read(file, 0, 4).getInt(0) == LOCAL) return null
        if (length > 0 && (length < ENTRY_LENGTH || read(file, at, 4).getInt(0) != ENTRY)) return null
        val crc = CRC32()
        val buffer = ByteArray(1 shl 16)
        file.seek(at)
        var left = minOf(length, LONGEST)
        while (left > 0) {
            val count = minOf(left, buffer.size.toLong()).toInt()
            file.readFully(buffer, 0, count)
            crc.update(buffer, 0, count)
            left -= count
        }
        return Contents.Whole(crc.value)
    }

    private fun read(file: RandomAccessFile, at: Long, length: Int): ByteBuffer {
        val bytes = ByteArray(length)
        file.seek(at)
        file.readFully(bytes)
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
    }

    private fun ByteBuffer.unsigned(at: Int): Long = getInt(at).toLong() and UNSIGNED

    private const val LOCAL = 0x04034b50
    private const val END = 0x06054b50
    private const val END_LENGTH = 22
    private const val ENTRY = 0x02014b50
    private const val ENTRY_LENGTH = 46
    private const val LOCATOR = 0x07064b50
    private const val LOCATOR_LENGTH = 20
    private const val ZIP64_END = 0x06064b50
    private const val ZIP64_END_LENGTH = 56
    private const val UNSIGNED = 0xFFFF_FFFFL

    /** The end with the longest comment there can be. */
    private const val TAIL = (END_LENGTH + 0xFFFF).toLong()

    /** More of a table than this is taken as read: the scanner refuses such jars. */
    private const val LONGEST = 64L shl 20
}
