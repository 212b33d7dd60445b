package dev.arraywright.hardware.linux

import java.lang.foreign.Arena
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_LONG

/** The ioctls of a block special file (linux/fs.h). Results are values or a negative errno, as with [Descriptor]. */
internal object BlockIoctl {
    private const val BLKROGET = 0x125eL
    private const val BLKSSZGET = 0x1268L
    private const val BLKPBSZGET = 0x127bL
    private const val BLKDISCARD = 0x1277L
    private const val BLKZEROOUT = 0x127fL

    /** The one that encodes a direction and a size, which PowerPC does its own way. */
    private val BLKGETSIZE64 = if (System.getProperty("os.arch").startsWith("ppc")) 0x40081272L else 0x80081272L

    /** Bytes of the whole device. */
    fun size(descriptor: Descriptor): Long =
        Arena.ofConfined().use { arena ->
            val result = arena.allocate(JAVA_LONG)
            val status = descriptor.ioctl(BLKGETSIZE64, result.address())
            if (status < 0) status else result.get(JAVA_LONG, 0)
        }

    /** Smallest addressable unit in bytes. */
    fun logicalBlockSize(descriptor: Descriptor): Long = number(descriptor, BLKSSZGET)

    /** Smallest unit written without reading first, in bytes. */
    fun physicalBlockSize(descriptor: Descriptor): Long = number(descriptor, BLKPBSZGET)

    /** 1 if the device takes no writes. */
    fun readOnly(descriptor: Descriptor): Long = number(descriptor, BLKROGET)

    fun discard(descriptor: Descriptor, offset: Long, length: Long): Long = range(
        descriptor,
        BLKDISCARD,
        offset,
        length,
    )

    fun writeZeroes(descriptor: Descriptor, offset: Long, length: Long): Long =
        range(descriptor, BLKZEROOUT, offset, length)

    private fun number(descriptor: Descriptor, request: Long): Long =
        Arena.ofConfined().use { arena ->
            val result = arena.allocate(JAVA_INT)
            val status = descriptor.ioctl(request, result.address())
            if (status < 0) status else result.get(JAVA_INT, 0).toLong()
        }

    private fun range(descriptor: Descriptor, request: Long, offset: Long, length: Long): Long =
        Arena.ofConfined().use { arena ->
            val range = arena.allocate(JAVA_LONG, 2)
            range.setAtIndex(JAVA_LONG, 0, offset)
            range.setAtIndex(JAVA_LONG, 1, length)
            descriptor.ioctl(request, range.address())
        }
}
