package dev.arraywright.hardware.device.file

import dev.arraywright.hardware.device.OpenRefusal
import dev.arraywright.hardware.device.claim.ClaimKey
import dev.arraywright.hardware.device.claim.Claims
import dev.arraywright.hardware.device.claim.Holders
import dev.arraywright.hardware.device.closingOnFailure
import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.hardware.linux.orThrow
import dev.arraywright.spi.device.ByteSize
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import java.io.IOException
import java.lang.foreign.Arena
import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import kotlin.io.path.absolute
import kotlin.io.path.deleteExisting
import kotlin.io.path.deleteIfExists
import kotlin.io.path.isDirectory

/** How the space of a new file was provided. */
public enum class FileSpace {
    /** Taken from the file system as it is written: may run out later. */
    SPARSE,

    /** Set aside by the file system. */
    PREALLOCATED,

    /** Set aside by writing zeroes, as the file system cannot do better. */
    WRITTEN,
}

/** Makes the regular files that arrays are made of. Blocking: not for a shared dispatcher. */
public object FileImages {
    private const val SECTOR = 512L
    private const val PIECE = 1 shl 20

    /** rw------- */
    private const val OWNER_ONLY = 0x180

    /**
     * Creates the file with mode 0600 and exactly [size] bytes of zeroes, on stable storage when this returns, and says
     * how its space was provided. When it fails nothing is left behind, and a file that was to be replaced is untouched.
     *
     * @param size bytes, a positive multiple of 512
     * @param preallocate set the space aside now instead of leaving the file sparse
     * @param replace allow an existing regular file, if nobody has claimed it
     * @throws DriverException what, why, and what to do
     */
    @Throws(DriverException::class)
    public fun create(path: Path, size: Long, preallocate: Boolean = false, replace: Boolean = false): FileSpace {
        if (size <= 0 || size % SECTOR != 0L) {
            throw DriverException(Reason.INVALID, "$size is no size for $path", "use a positive multiple of $SECTOR")
        }
        val target = path.absolute()
        val directory = target.parent
        if (directory == null || !directory.isDirectory()) {
            throw DriverException(
                Reason.NOT_FOUND,
                "there is no directory $directory",
                "create it: mkdir -p $directory",
            )
        }
        try {
            return openExisting(target, replace)?.use { replace(target, size, preallocate) }
                ?: fill(target, size, preallocate)
        } catch (e: PosixException) {
            throw explain(e, target, size)
        } catch (e: IOException) {
            throw DriverException(Reason.FAILED, "$target could not be created: ${e.message}", "", e)
        }
    }

    /** By way of a file beside it, so that the old one is there until the new one is whole. */
    private fun replace(target: Path, size: Long, preallocate: Boolean): FileSpace {
        val fresh = Files.createTempFile(target.parent, "${target.fileName}.", ".new")
        try {
            fresh.deleteExisting()
            val space = fill(fresh, size, preallocate)
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE)
            syncDirectory(target)
            return space
        } finally {
            fresh.deleteIfExists()
        }
    }

    /** The file to be replaced, claimed until that is done; null if there is none. */
    private fun openExisting(target: Path, replace: Boolean): AutoCloseable? {
        if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) return null
        if (!replace || !Files.isRegularFile(target)) {
            throw DriverException(Reason.INVALID, "$target exists", "choose another name, or ask for it to be replaced")
        }
        val descriptor = Descriptor.open(target.toString(), Posix.O_RDWR)
        return descriptor.closingOnFailure {
            val key = status().let { ClaimKey.File(it.device, it.inode) }
            val holder = Claims.holders(key) ?: Holders().loopOver(key)?.first
                ?: if (flock(Posix.LOCK_EX or Posix.LOCK_NB) < 0) Holders().ofLock(key) ?: "another process" else null
            if (holder != null) {
                throw DriverException(Reason.IN_USE, "$target is in use by $holder", "stop what uses it first")
            }
            descriptor
        }
    }

    private fun fill(path: Path, size: Long, preallocate: Boolean): FileSpace {
        val flags = Posix.O_RDWR or Posix.O_CREAT or Posix.O_EXCL
        Descriptor.open(path.toString(), flags, OWNER_ONLY).use { descriptor ->
            try {
                val space = if (preallocate) allocate(descriptor, size) else FileSpace.SPARSE
                descriptor.ftruncate(size).orThrow("ftruncate")
                descriptor.fsync().orThrow("fsync")
                syncDirectory(path)
                return space
            } catch (e: Throwable) {
                path.deleteIfExists()
                throw e
            }
        }
    }

    private fun allocate(descriptor: Descriptor, size: Long): FileSpace {
        val allocated = descriptor.fallocate(0, 0, size)
        if (allocated != -Errno.EOPNOTSUPP.toLong() && allocated != -Errno.ENOSYS.toLong()) {
            allocated.orThrow("fallocate")
            return FileSpace.PREALLOCATED
        }
        Arena.ofConfined().use { arena ->
            val zeroes = arena.allocate(PIECE.toLong(), 4096).address()
            var done = 0L
            while (done < size) {
                done += descriptor.pwrite(zeroes, minOf(PIECE.toLong(), size - done), done).orThrow("pwrite")
            }
        }
        return FileSpace.WRITTEN
    }

    private fun syncDirectory(file: Path) {
        Descriptor.open(file.parent.toString(), Posix.O_RDONLY).use { it.fsync().orThrow("fsync") }
    }

    private fun explain(e: PosixException, target: Path, size: Long): DriverException =
        when (e.errno) {
            Errno.ENOSPC, Errno.EDQUOT -> DriverException(
                Reason.FAILED,
                "no room for ${ByteSize.format(size)} at $target: ${Posix.strerror(e.errno)}",
                "free space, ask for less, or do without preallocation",
                e,
            )
            Errno.EFBIG ->
                DriverException(Reason.INVALID, "the file system takes no file of $size bytes", "ask for less", e)
            Errno.EEXIST ->
                DriverException(Reason.INVALID, "$target exists", "choose another name", e)
            else -> OpenRefusal("file:$target", target.toString()).explain(e)
        }
}
