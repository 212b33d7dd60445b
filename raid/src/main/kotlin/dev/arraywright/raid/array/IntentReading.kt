package dev.arraywright.raid.array

import dev.arraywright.raid.array.intent.BitmapRead
import dev.arraywright.raid.array.intent.BitmapReader
import dev.arraywright.raid.array.io.Buffers
import dev.arraywright.raid.array.io.awaitDevice
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.metadata.BitmapException
import dev.arraywright.raid.metadata.BitmapHeader
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockDescriptor
import dev.arraywright.spi.device.DeviceIoException
import java.nio.ByteBuffer
import java.util.BitSet

/**
 * Finds an array's write-intent bitmap on its members that are [whole]. What any of the usable copies has set counts;
 * where none is usable everything is taken as dirty, and a new one is begun.
 */
internal class IntentReading(
    private val runtime: ArrayRuntime,
    private val whole: List<Found>,
    private val blockSize: Int,
) {
    private val buffers = Buffers(runtime.buffers)

    suspend fun read(newest: Superblock, geometry: Geometry, degraded: Boolean): Intent? {
        if (!newest.hasBitmap() || !geometry.level().redundant()) return null
        val needed = degraded || !newest.clean()
        val copies = whole.mapNotNull { copy(it) }
        val header = copies.firstOrNull()?.header
        if (header == null)
            return Intent(
                StartBitmap(fresh(newest, geometry), all(newest, geometry), needed),
                lost = true,
            )
        val bits = BitSet(header.chunks())
        for (copy in copies) if (copy.header.chunk() == header.chunk()) bits.or(copy.dirty)
        return Intent(StartBitmap(header, bits, needed), lost = false)
    }

    private suspend fun copy(found: Found): BitmapRead.Usable? {
        if (!found.superblock.hasBitmap()) return null
        return try {
            val header = BitmapReader.header(area(found, blockSize), found.superblock, blockSize)
            val read = BitmapReader.read(area(found, header.areaSize(blockSize)), found.superblock, blockSize)
            read as? BitmapRead.Usable
        } catch (_: DeviceIoException) {
            null
        } catch (_: BitmapException) {
            null
        }
    }

    /** The first [length] bytes of a member's bitmap. */
    private suspend fun area(found: Found, length: Int): ByteBuffer {
        val at = SuperblockDescriptor.SUPERBLOCK_OFFSET + found.superblock.bitmapOffset()
        val area = ByteBuffer.allocate(length)
        buffers.use(length) { block ->
            awaitDevice(found.device, runtime.policy.memberDeadline, block) {
                found.device.read(block.slice(0, length), at)
            }
            area.put(0, block.memory, 0, length)
        }
        return area
    }

    private fun fresh(newest: Superblock, geometry: Geometry): BitmapHeader {
        val room = (BitmapHeader.room(newest).coerceAtLeast(BLOCK.toLong()) - HEADER) * 8
        var chunk = CHUNK
        while (Math.ceilDiv(
                geometry.syncSize(),
                chunk.toLong(),
            ) > minOf(room, BitmapHeader.MAX_CHUNKS.toLong())
        ) {
            chunk *= 2
        }
        return BitmapHeader.of(newest.setUuid(), newest.events(), BitmapHeader.syncSize(newest), chunk)
    }

    private fun all(newest: Superblock, geometry: Geometry): BitSet =
        fresh(newest, geometry).let { BitSet(it.chunks()).apply { set(0, it.chunks()) } }

    /** [lost]: no copy could be used. */
    internal class Intent(val start: StartBitmap, val lost: Boolean)

    private companion object {
        const val BLOCK = 4096
        const val HEADER = 256L
        const val CHUNK = 64 shl 20
    }
}
