package dev.arraywright.raid.array.intent

import dev.arraywright.raid.metadata.BitmapException.Reason
import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.raid.metadata.NewArray
import dev.arraywright.raid.metadata.Superblock
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import java.nio.ByteBuffer
import java.time.Instant
import java.util.BitSet
import java.util.UUID
import kotlin.random.Random

class BitmapReaderSpec : StringSpec({
    val superblock = superblock()
    val header = BitmapHeader.of(superblock.setUuid(), superblock.events(), SYNC_SIZE, CHUNK)

    fun area(header: BitmapHeader, bits: BitSet): ByteBuffer {
        val area = ByteBuffer.allocate(header.areaSize(4096))
        header.encode(area)
        area.put(bits.toByteArray())
        return area.rewind()
    }

    fun refused(area: ByteBuffer, reason: Reason, text: String, blockSize: Int = 512) {
        val read = BitmapReader.read(area, superblock, blockSize).shouldBeInstanceOf<BitmapRead.Unusable>()
        read.reason shouldBe reason
        read.why shouldContain text
    }

    "header and bits are read from the position on, and bits past the last chunk mean nothing" {
        val bits = BitSet().apply { listOf(0, 7, 8, 2047, 2048, 4999, 5000, 5007, 20_000).forEach(::set) }
        val shifted = ByteBuffer.allocate(5000).put(100, area(header, bits), 0, 4096).position(100)
        val read = BitmapReader.read(shifted, superblock, 512).shouldBeInstanceOf<BitmapRead.Usable>()
        read.header shouldBe header
        read.dirty shouldBe bits.get(0, 5000)
        BitmapReader.header(area(header, bits).limit(512), superblock, 512).areaSize(512) shouldBe 1024
    }

    "what is not this array's current bitmap is refused with the reason" {
        val none = BitSet()
        refused(ByteBuffer.allocate(4096), Reason.NONE, "magic")
        refused(area(header.withEvents(6), none), Reason.STALE, "out of date: it is at events 6, the array at 7")
        refused(area(BitmapHeader.of(UUID(0, 0), 7, SYNC_SIZE, CHUNK), none), Reason.FOREIGN, "of array 0000")
        val other = BitmapHeader.of(superblock.setUuid(), 7, SYNC_SIZE - 512, CHUNK)
        refused(area(other, none), Reason.FOREIGN, "for 2559488 bytes")
        refused(area(header, none), Reason.UNSUPPORTED, "inside a block of 8192", 8192)
    }

    "no bytes do harm" {
        val random = Random(7)
        repeat(20_000) {
            val area = area(header, BitSet())
            repeat(random.nextInt(4)) { area.put(random.nextInt(136), random.nextInt().toByte()) }
            val read = BitmapReader.read(area, superblock, 512)
            if (read is BitmapRead.Usable) (read.dirty.length() <= read.header.chunks()) shouldBe true
        }
    }
})

internal const val CHUNK = 512
internal const val SYNC_SIZE = 5000L * CHUNK

/** Of a mirror of three with 5000 chunks to keep in step. */
internal fun superblock(): Superblock {
    val array = NewArray(1, 0, 3, UUID(5, 6), "spec", Instant.EPOCH, true, 4096)
    val member = NewArray.Member((1L shl 20) + SYNC_SIZE, UUID(7, 8))
    return array.superblocks(List(3) { member })[0].withEvents(7)
}
