package dev.arraywright.hardware.device.file

import dev.arraywright.hardware.device.OpenRefusal
import dev.arraywright.hardware.device.claim.ClaimKey
import dev.arraywright.hardware.device.claim.Claims
import dev.arraywright.hardware.device.claim.Holders
import dev.arraywright.hardware.device.closingOnFailure
import dev.arraywright.hardware.device.foreignAddress
import dev.arraywright.hardware.device.inUse
import dev.arraywright.hardware.device.readsDirect
import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.numa.DeviceNodes
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import dev.arraywright.spi.memory.BufferAllocator

/**
 * Regular files as devices, by O_DIRECT where the file system takes it.
 *
 * **Claim.** flock on a descriptor of our own, exclusive, or shared for readers. Not fcntl's POSIX locks, which any
 * close of the same file in the process would drop, and not OFD locks, whose holder /proc/locks does not tell.
 */
@StorageDriver(
    name = "file",
    description = "Regular files",
    version = "0.1.0",
    supportedDevices = ["file"],
)
public class FileDriver : Driver {
    private val holders = Holders()
    private val nodes = DeviceNodes()
    private lateinit var buffers: BufferAllocator

    override fun initialize(context: DriverContext) {
        buffers = context.buffers()
    }

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        if (address !is StorageAddress.File) throw foreignAddress(address, "file")
        val refusal = OpenRefusal(address.toString(), address.path())
        val status = refusal.explaining { FileStatus.of(address.path()) }
        requireFile(address, status)
        val direct = options.directIo() && status.directAlignment != 0
        val opened = refusal.explaining { openClaimed(address, options, direct) }
        try {
            return device(address, options, opened)
        } catch (e: Throwable) {
            opened.close()
            throw e
        }
    }

    override fun close() {}

    private fun requireFile(address: StorageAddress.File, status: FileStatus) {
        val path = address.path()
        when {
            status.isDirectory ->
                throw DriverException(Reason.UNSUPPORTED, "$path is a directory", "name a file in it")
            status.isBlockSpecial ->
                throw DriverException(Reason.UNSUPPORTED, "$path is a block device", "use block:$path")
            !status.isRegular ->
                throw DriverException(Reason.UNSUPPORTED, "$path is no regular file", "name a regular file")
        }
    }

    private fun openClaimed(address: StorageAddress.File, options: OpenOptions, direct: Boolean): OpenedFile {
        val access = if (options.readOnly()) Posix.O_RDONLY else Posix.O_RDWR
        val descriptor = try {
            Descriptor.open(address.path(), if (direct) access or Posix.O_DIRECT else access)
        } catch (e: PosixException) {
            if (!direct || e.errno != Errno.EINVAL) throw e
            return openClaimed(address, options, direct = false)
        }
        val opened = OpenedFile(descriptor, descriptor.closingOnFailure { status() }, direct)
        try {
            claim(opened, address, options.readOnly())
            if (!direct || opened.takesDirect()) return opened
        } catch (e: Throwable) {
            opened.close()
            throw e
        }
        opened.close()
        return openClaimed(address, options, direct = false)
    }

    private fun claim(opened: OpenedFile, address: StorageAddress.File, shared: Boolean) {
        val key = opened.key
        opened.claim = Claims.tryClaim(key, shared, address.toString())
            ?: throw inUse(address, "this process holds it as ${Claims.holders(key)}", "stop the array that uses it")
        val mode = if (shared) Posix.LOCK_SH else Posix.LOCK_EX
        val result = opened.descriptor.flock(mode or Posix.LOCK_NB)
        if (result == -Errno.EAGAIN.toLong()) {
            val who = holders.ofLock(key) ?: "another process"
            throw inUse(address, "$who has locked it", "stop that process, or use another file")
        }
        // A file system without locks (ENOLCK, EOPNOTSUPP) leaves us the claim within the process.
        if (!shared) refuseLoop(key, address)
    }

    private fun refuseLoop(key: ClaimKey.File, address: StorageAddress.File) {
        val (loop, number) = holders.loopOver(key) ?: return
        val holder = Claims.holders(ClaimKey.Block(number))
        val remedy = if (holder == null) "detach it: losetup -d $loop" else "stop the array that uses $holder"
        throw inUse(address, "the loop device $loop writes to it", remedy)
    }

    private fun device(address: StorageAddress.File, options: OpenOptions, opened: OpenedFile): BlockDevice {
        val status = opened.status
        val logical = if (opened.direct) opened.alignment() else SECTOR
        requireSize(address, status.size)
        val physical = maxOf(logical, Integer.highestOneBit(status.blockSize))
        val info = DeviceInfo(
            address.toString(),
            "",
            "",
            DeviceType.FILE,
            nodes.ofFile(address.path()).node,
            status.size,
            logical,
            physical,
            options.readOnly(),
            opened.direct,
        )
        val alignment = if (opened.direct) status.directMemoryAlignment ?: logical else 1
        return FileDevice(info, opened.descriptor, maxOf(alignment, 1), buffers, opened.claim)
    }

    private fun requireSize(address: StorageAddress.File, size: Long) {
        val path = address.path()
        if (size == 0L) {
            throw DriverException(Reason.INVALID, "$path is empty", "give it a size: truncate -s 1G $path")
        }
        if (size % SECTOR != 0L) {
            throw DriverException(
                Reason.INVALID,
                "$path has $size bytes, which is no multiple of $SECTOR",
                "round it: truncate -s %$SECTOR $path",
            )
        }
    }

    private class OpenedFile(val descriptor: Descriptor, val status: FileStatus, val direct: Boolean) : AutoCloseable {
        val key = ClaimKey.File(status.device, status.inode)
        var claim: AutoCloseable = AutoCloseable {}
        private var probed = SECTOR

        fun alignment(): Int = maxOf(status.directAlignment ?: probed, SECTOR)

        /** The proof is a read: some file systems take the flag and refuse the transfer. Also finds the block size. */
        fun takesDirect(): Boolean {
            if (descriptor.fileSystem() in memoryFileSystems) return false
            val sizes = status.directAlignment?.let { listOf(maxOf(it, SECTOR)) } ?: listOf(SECTOR, 4096)
            probed = sizes.firstOrNull { status.size % it == 0L && descriptor.readsDirect(it) } ?: return false
            return true
        }

        override fun close() {
            descriptor.close()
            claim.close()
        }
    }

    private companion object {
        const val SECTOR = 512

        /** tmpfs and ramfs live in the page cache: they take O_DIRECT, but there is nothing to bypass it for. */
        val memoryFileSystems = setOf(0x01021994L, 0x858458f6L)
    }
}
