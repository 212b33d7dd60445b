package dev.arraywright.hardware.device.block

import dev.arraywright.hardware.device.OpenRefusal
import dev.arraywright.hardware.device.claim.ClaimKey
import dev.arraywright.hardware.device.claim.Claims
import dev.arraywright.hardware.device.claim.Holders
import dev.arraywright.hardware.device.closingOnFailure
import dev.arraywright.hardware.device.foreignAddress
import dev.arraywright.hardware.device.inUse
import dev.arraywright.hardware.linux.BlockIoctl
import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.linux.orThrow
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import dev.arraywright.spi.memory.BufferAllocator
import java.nio.file.Path

/**
 * Block special files as devices.
 *
 * **Claim.** A writer opens with O_EXCL, which the kernel refuses while the device is mounted, stacked upon, swap, or
 * opened so by anybody else. Readers share: they look at devices that are in use, but not at those a writer of this
 * process has.
 *
 * @param sys where sysfs is mounted
 */
@StorageDriver(
    name = "block",
    description = "Block special files: disks, partitions, loop devices",
    version = "0.1.0",
    supportedDevices = ["block"],
)
public class BlockSpecialDriver internal constructor(private val sys: Path) : Driver {
    private val holders = Holders(sys)
    private lateinit var buffers: BufferAllocator

    public constructor() : this(Path.of("/sys"))

    override fun initialize(context: DriverContext) {
        buffers = context.buffers()
    }

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        if (address !is StorageAddress.Block) throw foreignAddress(address, "block")
        val refusal = OpenRefusal(address.toString(), address.path())
        val status = refusal.explaining { FileStatus.of(address.path()) }
        if (!status.isBlockSpecial) {
            val remedy = if (status.isRegular) "use file:${address.path()}" else "name a file such as /dev/sdb"
            throw DriverException(Reason.UNSUPPORTED, "${address.path()} is no block device", remedy)
        }
        val claim = claim(address, status, options.readOnly())
        try {
            val descriptor = refusal.explaining { openNode(address, options, status) }
            return descriptor.closingOnFailure {
                refusal.explaining { device(address, options, status, descriptor, claim) }
            }
        } catch (e: Throwable) {
            claim.close()
            throw e
        }
    }

    override fun close() {}

    private fun claim(address: StorageAddress.Block, status: FileStatus, shared: Boolean): AutoCloseable {
        val key = ClaimKey.Block(status.represents)
        val file = holders.behindLoop(status.represents)
        val fileHolder = file?.let { Claims.holders(it) ?: holders.ofLock(it) }
        if (fileHolder != null && !shared) {
            throw inUse(address, "its backing file is held by $fileHolder", "stop what uses the file first")
        }
        return Claims.tryClaim(key, shared, address.toString())
            ?: throw inUse(address, "this process holds it as ${Claims.holders(key)}", "stop the array that uses it")
    }

    private fun openNode(address: StorageAddress.Block, options: OpenOptions, status: FileStatus): Descriptor {
        val access = if (options.readOnly()) Posix.O_RDONLY else Posix.O_RDWR or Posix.O_EXCL
        val flags = if (options.directIo()) access or Posix.O_DIRECT else access
        try {
            return Descriptor.open(address.path(), flags)
        } catch (e: PosixException) {
            if (e.errno != Errno.EBUSY) throw e
            val who = holders.ofBlock(status.represents) ?: "another process or the kernel holds it"
            throw DriverException(Reason.IN_USE, "$address is in use: $who", "unmount or stop what uses it", e)
        }
    }

    private fun device(
        address: StorageAddress.Block,
        options: OpenOptions,
        status: FileStatus,
        descriptor: Descriptor,
        claim: AutoCloseable,
    ): BlockDevice {
        val size = BlockIoctl.size(descriptor).orThrow("BLKGETSIZE64")
        val logical = BlockIoctl.logicalBlockSize(descriptor).orThrow("BLKSSZGET").toInt()
        val physical = BlockIoctl.physicalBlockSize(descriptor).orThrow("BLKPBSZGET").toInt()
        if (size < logical) {
            throw DriverException(Reason.INVALID, "$address has no medium: its size is $size", "attach one to it")
        }
        if (!options.readOnly() && BlockIoctl.readOnly(descriptor).orThrow("BLKROGET") != 0L) {
            throw DriverException(
                Reason.READ_ONLY,
                "$address takes no writes",
                "open it read-only, or clear its switch",
            )
        }
        val identity = BlockIdentity.of(status.represents, address.toString(), sys)
        val info = DeviceInfo(
            identity.id,
            identity.model,
            identity.serial,
            identity.type,
            identity.numaNode,
            size - size % logical,
            logical,
            maxOf(logical, physical),
            options.readOnly(),
            options.directIo(),
        )
        // The block layer takes any 4-byte address for most disks, but tells nobody which; a block always fits.
        val alignment = if (options.directIo()) logical else 1
        return BlockSpecialDevice(info, descriptor, alignment, buffers, claim)
    }
}
