package dev.arraywright.hardware.device

import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.PosixException
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.ChecksumException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import java.time.Duration

/**
 * From error numbers to the kinds an array acts on. The block layer's own mapping is `blk_errors` in the kernel's
 * block/blk-core.c; whatever is not listed there is taken for the medium's fault, as a narrower claim would be a guess.
 *
 * ```
 * EILSEQ EBADMSG                                 checksum (protection information, a file system's own checksum)
 * ENODEV ENXIO EBADF ENOLINK ESHUTDOWN ESTALE    gone
 * ETIMEDOUT                                      timed out
 * EROFS EPERM EACCES on a write                  write protected
 * ENOSPC EDQUOT EFBIG                            out of space
 * EIO ENODATA EREMOTEIO, any other               medium error
 * ```
 *
 * The error numbers come from the call itself: an IOException of the JDK has only strerror's text, which follows the
 * locale.
 */
internal class IoFailures(private val deviceId: String) {
    /** The failure of [call] on a range; [startedAt] is the call's System.nanoTime(). */
    fun of(call: String, errno: Int, offset: Long, length: Long, startedAt: Long): DeviceIoException {
        val cause = PosixException(call, errno)
        return when (errno) {
            Errno.EILSEQ, Errno.EBADMSG -> ChecksumException(deviceId, offset, length, cause)
            in gone -> DeviceGoneException(deviceId, cause.message, cause)
            Errno.ETIMEDOUT ->
                TimedOutException(deviceId, Duration.ofNanos(System.nanoTime() - startedAt), cause)
            in full -> OutOfSpaceException(deviceId, cause)
            in protected -> WriteProtectedException(deviceId, cause)
            else -> MediumErrorException(deviceId, offset, length, cause)
        }
    }

    fun closed(): DeviceGoneException = DeviceGoneException(deviceId, "closed", null)

    private companion object {
        val gone =
            setOf(Errno.ENODEV, Errno.ENXIO, Errno.EBADF, Errno.ENOLINK, Errno.ESHUTDOWN, Errno.ESTALE)
        val full = setOf(Errno.ENOSPC, Errno.EDQUOT, Errno.EFBIG)
        val protected = setOf(Errno.EROFS, Errno.EPERM, Errno.EACCES)
    }
}
