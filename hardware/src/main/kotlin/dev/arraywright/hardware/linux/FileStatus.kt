package dev.arraywright.hardware.linux

import java.lang.foreign.Arena
import java.lang.foreign.MemorySegment
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_LONG
import java.lang.foreign.ValueLayout.JAVA_SHORT

/**
 * What statx(2) says of a file. Its structure is the same on every architecture (linux/stat.h):
 *
 * ```
 * 0x00 mask u32      0x04 blksize u32   0x1c mode u16        0x20 ino u64
 * 0x28 size u64      0x30 blocks u64    0x80 rdev_major u32  0x84 rdev_minor u32
 * 0x88 dev_major u32 0x8c dev_minor u32 0x98 dio_mem_align u32  0x9c dio_offset_align u32
 * ```
 *
 * @property directAlignment what O_DIRECT wants of offsets and lengths in bytes: 0 if the file system refuses O_DIRECT,
 *   null if it does not tell
 * @property directMemoryAlignment what O_DIRECT wants of addresses, as above
 */
internal data class FileStatus(
    val mode: Int,
    val device: DeviceNumber,
    val inode: Long,
    val represents: DeviceNumber,
    val size: Long,
    val allocated: Long,
    val blockSize: Int,
    val directAlignment: Int?,
    val directMemoryAlignment: Int?,
) {
    val isRegular: Boolean get() = mode and S_IFMT == 0x8000
    val isDirectory: Boolean get() = mode and S_IFMT == 0x4000
    val isBlockSpecial: Boolean get() = mode and S_IFMT == 0x6000
    val isCharacterSpecial: Boolean get() = mode and S_IFMT == 0x2000

    companion object {
        private const val S_IFMT = 0xf000
        private const val AT_FDCWD = -100
        private const val AT_EMPTY_PATH = 0x1000
        private const val STATX_BASIC_STATS = 0x7ff
        private const val STATX_DIOALIGN = 0x2000

        /** The file at [path], symbolic links followed; throws [PosixException]. */
        fun of(path: String): FileStatus = statx(AT_FDCWD, path, 0)

        /** The open file [fd]; throws [PosixException]. */
        fun of(fd: Int): FileStatus = statx(fd, "", AT_EMPTY_PATH)

        private fun statx(directory: Int, path: String, flags: Int): FileStatus =
            Arena.ofConfined().use { arena ->
                val result = arena.allocate(256, 8)
                val mask = STATX_BASIC_STATS or STATX_DIOALIGN
                if (Posix.statx(directory, path, flags, mask, result.address()) != 0) {
                    throw PosixException("statx", Posix.errno())
                }
                parse(result)
            }

        private fun parse(raw: MemorySegment): FileStatus {
            val tellsDirect = raw.get(JAVA_INT, 0x00) and STATX_DIOALIGN != 0
            return FileStatus(
                mode = raw.get(JAVA_SHORT, 0x1c).toInt() and 0xffff,
                device = DeviceNumber(raw.get(JAVA_INT, 0x88), raw.get(JAVA_INT, 0x8c)),
                inode = raw.get(JAVA_LONG, 0x20),
                represents = DeviceNumber(raw.get(JAVA_INT, 0x80), raw.get(JAVA_INT, 0x84)),
                size = raw.get(JAVA_LONG, 0x28),
                allocated = raw.get(JAVA_LONG, 0x30) * 512,
                blockSize = raw.get(JAVA_INT, 0x04),
                directAlignment = if (tellsDirect) raw.get(JAVA_INT, 0x9c) else null,
                directMemoryAlignment = if (tellsDirect) raw.get(JAVA_INT, 0x98) else null,
            )
        }
    }
}

/** A device's number, printed as sysfs names it: `major:minor`. */
internal data class DeviceNumber(val major: Int, val minor: Int) {
    override fun toString(): String = "$major:$minor"
}
