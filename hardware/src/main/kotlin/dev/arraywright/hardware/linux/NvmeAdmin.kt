package dev.arraywright.hardware.linux

import java.io.IOException
import java.lang.foreign.Arena
import java.lang.foreign.ValueLayout.JAVA_BYTE
import java.lang.foreign.ValueLayout.JAVA_INT
import java.lang.foreign.ValueLayout.JAVA_LONG

/**
 * NVMe admin commands that only read, by NVME_IOCTL_ADMIN_CMD on a controller's or a namespace's special file. The
 * kernel's `struct nvme_passthru_cmd` (linux/nvme_ioctl.h), 72 bytes:
 *
 * ```
 * 0x00 opcode u8    0x01 flags u8    0x02 reserved u16   0x04 nsid u32
 * 0x08 cdw2 u32     0x0c cdw3 u32    0x10 metadata u64   0x18 addr u64
 * 0x20 metadata_len u32              0x24 data_len u32   0x28 cdw10 u32 … 0x3c cdw15 u32
 * 0x40 timeout_ms u32                0x44 result u32
 * ```
 */
internal object NvmeAdmin {
    private const val NVME_IOCTL_ADMIN_CMD = 0xC0484E41L
    private const val COMMAND_SIZE = 72L
    private const val GET_LOG_PAGE = 0x02
    private const val IDENTIFY = 0x06
    private const val HEALTH_LOG = 0x02
    private const val HEALTH_LOG_SIZE = 512
    private const val CONTROLLER = 1
    private const val IDENTIFY_SIZE = 4096
    private const val ALL_NAMESPACES = -1

    /** The kernel gives a command up after this long, and resets the controller that did not answer it. */
    private const val TIMEOUT_MILLISECONDS = 15_000

    /** The SMART / Health Information log page of the whole controller; throws [PosixException], [NvmeException]. */
    fun healthLog(descriptor: Descriptor): ByteArray {
        val doubleWords = HEALTH_LOG_SIZE / 4 - 1
        return read(descriptor, GET_LOG_PAGE, ALL_NAMESPACES, HEALTH_LOG or (doubleWords shl 16), HEALTH_LOG_SIZE)
    }

    /** The Identify Controller structure; throws [PosixException], [NvmeException]. */
    fun identifyController(descriptor: Descriptor): ByteArray =
        read(descriptor, IDENTIFY, 0, CONTROLLER, IDENTIFY_SIZE)

    private fun read(descriptor: Descriptor, opcode: Int, namespace: Int, word10: Int, size: Int): ByteArray =
        Arena.ofConfined().use { arena ->
            val data = arena.allocate(size.toLong(), IDENTIFY_SIZE.toLong())
            val command = arena.allocate(COMMAND_SIZE, 8)
            command.set(JAVA_BYTE, 0x00, opcode.toByte())
            command.set(JAVA_INT, 0x04, namespace)
            command.set(JAVA_LONG, 0x18, data.address())
            command.set(JAVA_INT, 0x24, size)
            command.set(JAVA_INT, 0x28, word10)
            command.set(JAVA_INT, 0x40, TIMEOUT_MILLISECONDS)
            val status = descriptor.ioctl(NVME_IOCTL_ADMIN_CMD, command.address()).orThrow("NVMe admin command")
            if (status != 0L) throw NvmeException(status.toInt())
            data.toArray(JAVA_BYTE)
        }
}

/** A command that the controller refused, with its status field. */
internal class NvmeException(val status: Int) :
    IOException("the controller refused the command with status 0x${status.toString(16)}")
