package dev.arraywright.raid.array.intent

import dev.arraywright.raid.metadata.BitmapDescriptor
import dev.arraywright.raid.metadata.BitmapException
import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.raid.metadata.Superblock
import java.nio.ByteBuffer
import java.util.BitSet

/** What a member's bitmap says. */
internal sealed interface BitmapRead {
    /** [dirty]: the chunks whose bit is set. */
    class Usable(val header: BitmapHeader, val dirty: BitSet) : BitmapRead

    /** Without a bitmap, everything has to be gone over. */
    class Unusable(val reason: BitmapException.Reason, val why: String) : BitmapRead
}

/** Reads bitmaps; [Superblock] is the member's own, and the member has to be one of the most current. */
internal object BitmapReader {
    /** The header from the area's first block: says how long the area is ([BitmapHeader.areaSize]). */
    @Throws(BitmapException::class)
    fun header(first: ByteBuffer, superblock: Superblock, blockSize: Int): BitmapHeader {
        val header = BitmapHeader.parse(first)
        header.checkBelongs(superblock)
        header.checkFits(superblock, blockSize)
        header.checkCurrent(superblock)
        return header
    }

    /** Header and bits from the whole area, from the buffer's position; bits past the last chunk mean nothing. */
    fun read(area: ByteBuffer, superblock: Superblock, blockSize: Int): BitmapRead {
        val header = try {
            header(area, superblock, blockSize)
        } catch (e: BitmapException) {
            return BitmapRead.Unusable(e.reason(), e.message.orEmpty())
        }
        require(area.remaining() >= header.areaSize(blockSize)) { "only ${area.remaining()} bytes of $header" }
        val size = header.areaSize(1) - BitmapDescriptor.HEADER_SIZE
        val dirty = BitSet.valueOf(area.slice(area.position() + BitmapDescriptor.HEADER_SIZE, size))
        dirty.clear(header.chunks(), maxOf(header.chunks(), dirty.length()))
        return BitmapRead.Usable(header, dirty)
    }
}
