package dev.arraywright.hardware.device.file

import dev.arraywright.hardware.device.DescriptorDevice
import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.Extent
import dev.arraywright.spi.memory.BufferAllocator

/** A regular file as a device. Its size is what it was at opening; a file cut short later reads as a medium error. */
internal class FileDevice(
    info: DeviceInfo,
    descriptor: Descriptor,
    memoryAlignment: Int,
    buffers: BufferAllocator,
    claim: AutoCloseable,
) : DescriptorDevice(info, descriptor, memoryAlignment, buffers, claim) {
    override fun discardRange(offset: Long, length: Long): Long = descriptor.fallocate(PUNCH, offset, length)

    override fun zeroRange(offset: Long, length: Long): Long {
        val zeroed = descriptor.fallocate(Posix.FALLOC_FL_ZERO_RANGE, offset, length)
        return if (unsupported(zeroed)) descriptor.fallocate(PUNCH, offset, length) else zeroed
    }

    override fun vanished(): Boolean = false

    /** Holes are rounded inwards to blocks; what lies past a shortened file's end counts as data, as it cannot be read. */
    override fun allocation(offset: Long, length: Long): List<Extent> {
        begin(offset, length)
        val end = offset + length
        val fileEnd = seek(0, Posix.SEEK_END) ?: return everythingIsData(offset, length)
        val extents = ExtentList(offset, end, info().logicalBlockSize())
        var at = offset
        while (at < minOf(end, fileEnd)) {
            val hole = seek(at, Posix.SEEK_HOLE) ?: return everythingIsData(offset, length)
            if (hole >= minOf(end, fileEnd)) break
            val data = seek(hole, Posix.SEEK_DATA) ?: return everythingIsData(offset, length)
            extents.hole(hole, minOf(data, fileEnd))
            at = data
        }
        return extents.finish()
    }

    /** Null where the file system cannot tell; the file's end where there is no more data. */
    private fun seek(from: Long, whence: Int): Long? {
        val startedAt = System.nanoTime()
        val result = descriptor.lseek(from, whence)
        return when {
            result >= 0 -> result
            result == -Errno.ENXIO.toLong() -> Long.MAX_VALUE
            result == -Errno.EINVAL.toLong() || unsupported(result) -> null
            else -> throw failure("lseek", result, from, 0, startedAt)
        }
    }

    private companion object {
        const val PUNCH = Posix.FALLOC_FL_PUNCH_HOLE or Posix.FALLOC_FL_KEEP_SIZE
    }
}
