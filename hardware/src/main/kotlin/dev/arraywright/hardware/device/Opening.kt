package dev.arraywright.hardware.device

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import java.lang.foreign.Arena

/** Says in an operator's words why a path could not be opened. */
internal class OpenRefusal(private val address: String, private val path: String) {
    inline fun <T> explaining(open: () -> T): T =
        try {
            open()
        } catch (e: PosixException) {
            throw explain(e)
        }

    fun explain(e: PosixException): DriverException =
        when (e.errno) {
            Errno.ENOENT, Errno.ENOTDIR ->
                refuse(Reason.NOT_FOUND, "there is no $path", "check the path, or create it first", e)
            Errno.EACCES, Errno.EPERM -> denied(e)
            Errno.EROFS ->
                refuse(Reason.READ_ONLY, "$path is on a read-only file system", "open it read-only, or remount", e)
            Errno.ETXTBSY ->
                refuse(Reason.IN_USE, "$path is a running program or a swap file", "use another file", e)
            Errno.ENXIO, Errno.ENODEV, Errno.ENOMEDIUM ->
                refuse(Reason.NOT_FOUND, "no device or medium behind $path", "check that the disk is plugged in", e)
            Errno.ELOOP ->
                refuse(Reason.NOT_FOUND, "$path is a circle of symbolic links", "name the file itself", e)
            else -> refuse(Reason.FAILED, "$address could not be opened: ${e.message}", "", e)
        }

    private fun denied(e: PosixException): DriverException {
        val readable = try {
            Descriptor.open(path, Posix.O_RDONLY).close()
            true
        } catch (_: PosixException) {
            false
        }
        return if (readable) {
            refuse(Reason.READ_ONLY, "$path can be read but not written", "open it read-only, or allow writing", e)
        } else {
            refuse(Reason.NO_PERMISSION, "no permission to open $path", "run as a user who may, or chown it", e)
        }
    }

    private fun refuse(reason: Reason, what: String, remedy: String, cause: PosixException) =
        DriverException(reason, what, remedy, cause)
}

internal fun foreignAddress(address: StorageAddress, scheme: String): DriverException =
    DriverException(Reason.UNSUPPORTED, "$address is no $scheme address", "write it as $scheme:…")

internal fun inUse(address: StorageAddress, why: String, remedy: String): DriverException =
    DriverException(Reason.IN_USE, "$address is in use: $why", remedy)

/** Whether an O_DIRECT descriptor gives its first [count] bytes. */
internal fun Descriptor.readsDirect(count: Int): Boolean =
    Arena.ofConfined().use { arena ->
        val target = arena.allocate(count.toLong(), 4096)
        // A bad sector proves that the transfer was taken; only "invalid argument" says that it was not.
        pread(target.address(), count.toLong(), 0) != -Errno.EINVAL.toLong()
    }

internal inline fun <T> Descriptor.closingOnFailure(block: Descriptor.() -> T): T =
    try {
        block()
    } catch (e: Throwable) {
        close()
        throw e
    }
