package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.shown
import java.io.EOFException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Path

/**
 * Whether a zip says one thing only. Each entry is described twice, in the table of contents, which
 * [java.util.zip.ZipFile] and so the loader go by, and in a header before its bytes, which others go by; what the two
 * say differently, what lies between entries, and entries that share bytes are ways to show one content to who looks
 * and another to who runs it. Nothing is inflated.
 *
 * ```
 * end    0 PK 5 6   10 u16 entries  12 u32 length of the table  16 u32 its offset  20 u16 length of the comment
 * table  0 PK 1 2    8 u16 flags  10 u16 method  16 u32 crc  20 u32 packed  24 u32 size  28 u16 name  30 u16 extra
 *                   32 u16 comment  42 u32 offset  46 the name
 * local  0 PK 3 4    6 u16 flags   8 u16 method  14 u32 crc  18 u32 packed  22 u32 size  26 u16 name  28 u16 extra
 * after  0 PK 7 8 or nothing, u32 crc, u32 or u64 packed, u32 or u64 size; if flag 3 is set
 * ```
 */
internal class ZipLayout private constructor(private val channel: FileChannel) {
    /** What the table of contents says of an entry; [start] is where its header is. */
    private class Listed(
        val name: ByteArray,
        val flags: Int,
        val method: Int,
        val crc: Long,
        val sizes: Sizes,
        val start: Long,
    ) {
        val title: String get() = shown(name.decodeToString())
    }

    private class Sizes(val packed: Long, val size: Long, val offset: Long = 0)

    private fun check() {
        val end = ZipEnd.table(channel)
        val entries = list(end).sortedBy { it.start }
        var free = entries.firstOrNull()?.start ?: end.start
        // A program may stand before the first entry; but then it is one.
        if (free > 0 && read(0, 4).getInt(0) == LOCAL) throw UnfitJar(hidden("its first entry"))
        entries.forEachIndexed { index, entry ->
            if (entry.start < free) {
                throw UnfitJar("has entries that share bytes: ${entries[index - 1].title} and ${entry.title}")
            }
            if (entry.start > free) throw UnfitJar(hidden(entry.title))
            free = check(entry, entries.getOrNull(index + 1)?.start ?: end.start)
            if (free > end.start) {
                throw UnfitJar("has entries that share bytes: ${entry.title} and the table of contents")
            }
        }
        if (free != end.start) throw UnfitJar(hidden("its table of contents"))
    }

    private fun hidden(before: String) = "has bytes before $before that its table of contents does not know of"

    private fun list(end: ZipEnd.Table): List<Listed> {
        val table = read(end.start, end.length.toInt())
        val found = mutableListOf<Listed>()
        while (table.hasRemaining()) {
            val at = table.position()
            if (table.remaining() < LISTED || table.getInt(at) != TABLE) throw damaged()
            val nameLength = table.u16(at + 28)
            val extraLength = table.u16(at + 30)
            val next = at + LISTED + nameLength + extraLength + table.u16(at + 32)
            if (next > table.limit()) throw damaged()
            val name = ByteArray(nameLength).also { table.get(at + LISTED, it) }
            val extra = table.slice(at + LISTED + nameLength, extraLength).order(table.order())
            val sizes = sizes(table.u32(at + 24), table.u32(at + 20), table.u32(at + 42), extra)
            val start = sizes.offset + end.shift
            if (start < 0 || start > end.start - HEADER) throw damaged()
            found += Listed(name, table.u16(at + 8), table.u16(at + 10), table.u32(at + 16), sizes, start)
            table.position(next)
        }
        if (found.size.toLong() != end.entries) throw UnfitJar("does not say how many entries it has")
        return found
    }

    /** Where the bytes of [entry] end, which begin where its header says; [next] is where the next begins. */
    private fun check(entry: Listed, next: Long): Long {
        val header = read(entry.start, HEADER)
        if (header.getInt(0) != LOCAL) throw damaged()
        val name = header.u16(26)
        val extra = header.u16(28)
        val start = entry.start + HEADER + name + extra
        if (start > next) return start
        val rest = read(entry.start + HEADER, name + extra)
        val told = sizes(header.u32(22), header.u32(18), 0, rest.slice(name, extra).order(rest.order()))
        val flags = header.u16(6)
        val after = flags and AFTER != 0
        same(entry, "name", entry.name.contentEquals(ByteArray(name).also { rest.get(0, it) }))
        same(entry, "encryption", (flags xor entry.flags) and ENCRYPTION == 0)
        same(entry, "encoding", (flags xor entry.flags) and UTF8 == 0 || entry.name.all { it >= 0 })
        same(entry, "method", header.u16(8) == entry.method)
        // What was not known yet when the header was written is 0 there, and told behind the bytes.
        val agreed = { here: Long, listed: Long -> here == listed || (after && here == 0L) }
        same(entry, "checksum", agreed(header.u32(14), entry.crc))
        same(entry, "size", agreed(told.size, entry.sizes.size) && agreed(told.packed, entry.sizes.packed))
        if (entry.flags and ENCRYPTION != 0) throw UnfitJar("is encrypted, at least in part")
        val end = start + entry.sizes.packed
        if (end < start) throw damaged()
        if (end > next || !after) return end
        return end + trailer(entry, end, next)
    }

    /** The length of what follows the bytes of an entry whose header did not know its size yet. */
    private fun trailer(entry: Listed, at: Long, next: Long): Int {
        val left = minOf(next - at, LONGEST_TRAILER).toInt()
        val bytes = read(at, left)
        for (marked in listOf(4, 0)) {
            if (marked == 4 && (left < 4 || bytes.getInt(0) != TRAILER)) continue
            for (width in listOf(4, 8)) {
                val length = marked + 4 + 2 * width
                if (length.toLong() != next - at) continue
                val value = { from: Int -> if (width == 4) bytes.u32(from) else bytes.getLong(from) }
                same(entry, "checksum", bytes.u32(marked) == entry.crc)
                same(entry, "size", value(marked + 4) == entry.sizes.packed)
                same(entry, "size", value(marked + 4 + width) == entry.sizes.size)
                return length
            }
        }
        throw UnfitJar("has no word on the size of ${entry.title} behind it, or more than that")
    }

    private fun same(entry: Listed, what: String, agreed: Boolean) {
        if (!agreed) throw UnfitJar("has another $what of ${entry.title} in its table of contents than at the entry")
    }

    /** Those that do not fit are in an extra field: of the size, the packed size and the offset, which are needed. */
    private fun sizes(size: Long, packed: Long, offset: Long, extra: ByteBuffer): Sizes {
        if (size != FULL && packed != FULL && offset != FULL) return Sizes(packed, size, offset)
        while (extra.remaining() >= 4) {
            val id = extra.short.toInt() and 0xFFFF
            val length = extra.short.toInt() and 0xFFFF
            if (length > extra.remaining()) break
            val field = extra.slice(extra.position(), length).order(extra.order())
            if (id == ZIP64) {
                val value = { short: Long -> if (short != FULL) short else field.wide() }
                val inflated = value(size)
                return Sizes(value(packed), inflated, value(offset))
            }
            extra.position(extra.position() + length)
        }
        throw damaged()
    }

    private fun ByteBuffer.wide(): Long {
        if (remaining() < 8) throw damaged()
        return long.also { if (it < 0) throw damaged() }
    }

    private fun read(at: Long, length: Int): ByteBuffer = ZipEnd.read(channel, at, length)

    companion object {
        /**
         * @throws UnfitJar if it is damaged or says two things
         * @throws java.io.IOException if it cannot be read
         */
        fun check(zip: Path) {
            try {
                FileChannel.open(zip).use { ZipLayout(it).check() }
            } catch (e: EOFException) {
                throw damaged(e)
            }
        }

        private fun damaged(cause: Throwable? = null) =
            UnfitJar("is damaged: its table of contents makes no sense", cause)

        private const val LOCAL = 0x04034b50
        private const val HEADER = 30
        private const val TABLE = 0x02014b50
        private const val LISTED = 46
        private const val TRAILER = 0x08074b50
        private const val LONGEST_TRAILER = 24L
        private const val ENCRYPTION = 0x2041
        private const val AFTER = 0x8
        private const val UTF8 = 0x800
        private const val ZIP64 = 1
        private const val FULL = 0xFFFF_FFFFL
    }
}
