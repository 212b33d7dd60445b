package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.Block
import dev.arraywright.raid.array.io.Buffers
import dev.arraywright.raid.array.io.awaitDevice
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockDescriptor
import dev.arraywright.raid.metadata.SuperblockException
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.UUID

/** Looks at devices before they are used; writes nothing. */
internal class Examination(private val runtime: ArrayRuntime) {
    private val buffers = Buffers(runtime.buffers)

    suspend fun examine(device: AsyncBlockDevice): Superblock {
        val id = device.info().id()
        try {
            return superblock(device)
        } catch (e: SuperblockException) {
            throw ArrayException.NoSuperblock(
                "$id is no member of an array",
                e.message.orEmpty(),
                "name another device",
                e,
            )
        } catch (e: DeviceIoException) {
            throw ArrayException.DeviceFailed("$id cannot be examined", e.message.orEmpty(), "check the device", e)
        }
    }

    suspend fun superblock(device: AsyncBlockDevice): Superblock =
        head(device) { head ->
            Superblock.parse(head.slice(SuperblockDescriptor.SUPERBLOCK_OFFSET, SuperblockDescriptor.MAX_SIZE))
        }

    /** [largestBlock]: the largest logical block that will do. */
    fun requireFit(device: AsyncBlockDevice, largestBlock: Int = LARGEST_BLOCK) {
        val info = device.info()
        if (info.readOnly()) {
            throw ArrayException.UnfitDevice("cannot use ${info.id()}", "it is read-only", "open it for writing")
        }
        if (info.logicalBlockSize() > largestBlock) {
            throw ArrayException.UnfitDevice(
                "cannot use ${info.id()}",
                "its logical blocks have ${info.logicalBlockSize()} bytes, more than $largestBlock",
                "take a device with smaller blocks",
            )
        }
    }

    /** Refuses a device that holds something, unless that is being a member of the array [own]. */
    suspend fun requireBlank(device: AsyncBlockDevice, own: UUID?) {
        val id = device.info().id()
        val found = try {
            head(device, ::recognise) ?: otherArray(device, own)
        } catch (e: SuperblockException) {
            "an md superblock not to be used (${e.message})".takeIf { e.reason() != SuperblockException.Reason.NONE }
        } catch (e: DeviceIoException) {
            throw ArrayException.DeviceFailed("$id cannot be examined", e.message.orEmpty(), "check the device", e)
        }
        if (found != null) {
            throw ArrayException.InUse(
                "cannot use $id",
                "it holds $found",
                "take another device, or use force if its content is not needed",
            )
        }
    }

    private suspend fun otherArray(device: AsyncBlockDevice, own: UUID?): String? =
        superblock(device).takeIf { it.setUuid() != own }?.let { "a member of the array ${it.name()}" }

    private suspend fun <T> head(device: AsyncBlockDevice, look: (ByteBuffer) -> T): T {
        val length = minOf(HEAD.toLong(), device.info().size()).toInt()
        return buffers.use(HEAD) { block: Block ->
            block.memory.put(0, ByteArray(HEAD))
            if (length > 0)
                awaitDevice(device, runtime.policy.memberDeadline, block) {
                    device.read(block.slice(0, length), 0)
                }
            look(block.slice(0, HEAD).order(ByteOrder.LITTLE_ENDIAN))
        }
    }

    /** By their magic bytes at their places, as in `magic(5)`. */
    private fun recognise(head: ByteBuffer): String? = when {
        head.getShort(0x438) == 0xef53.toShort() -> "an ext2, ext3 or ext4 file system"
        text(head, 0, "XFSB") -> "an XFS file system"
        text(head, 0, "LUKS") -> "a LUKS volume"
        text(head, 0x218, "LVM2") -> "an LVM physical volume"
        text(head, 4086, "SWAPSPACE2") -> "swap space"
        text(head, 512, "EFI PART") -> "a GPT partition table"
        head.getShort(510) == 0xaa55.toShort() -> "a boot sector or partition table"
        head.getInt(0) == SuperblockDescriptor.MAGIC -> "an md superblock 1.1"
        else -> null
    }

    private fun text(head: ByteBuffer, at: Int, magic: String): Boolean =
        magic.indices.all { head.get(at + it) == magic[it].code.toByte() }

    internal companion object {
        const val LARGEST_BLOCK = 4096
        private const val HEAD = 8192
    }
}
