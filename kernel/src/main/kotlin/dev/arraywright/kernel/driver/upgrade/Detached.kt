package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.ChecksumException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import java.time.Duration

/**
 * What a driver threw, told by another exception of the same kind: even one of the SPI's holds the classes of the
 * methods that it came through, and a driver's own as a cause its class; either keeps a driver in memory for as long as
 * somebody keeps the exception, as the state of a failed member does.
 */
internal fun detached(thrown: Throwable, id: String): DeviceIoException = try {
    val device = (thrown as? DeviceIoException)?.deviceId() ?: id
    val cause = cause(thrown)
    val told = when (thrown) {
        is MediumErrorException -> MediumErrorException(device, thrown.offset(), thrown.length(), cause)
        is ChecksumException -> ChecksumException(device, thrown.offset(), thrown.length(), cause)
        is DeviceGoneException -> DeviceGoneException(device, why(thrown, "device gone"), cause)
        is TimedOutException -> TimedOutException(device, deadline(thrown), cause)
        is OutOfSpaceException -> OutOfSpaceException(device, cause)
        is WriteProtectedException -> {
            val why = why(thrown, "write protected")
            if (why.isEmpty()) WriteProtectedException(device, cause) else WriteProtectedException(device, why, cause)
        }
        else -> DeviceGoneException(id, "its driver failed: $thrown", null)
    }
    told.apply { stackTrace = thrown.stackTrace }
} catch (_: Throwable) {
    DeviceGoneException(id, "its driver failed with ${thrown.javaClass.name}, which fails to say more", null)
}

/** The words of a cause, and where it was thrown. */
private class DriverFailure(text: String) : Exception(text)

private fun cause(thrown: Throwable): Throwable? = thrown.cause?.let { cause ->
    DriverFailure(cause.toString()).apply { stackTrace = cause.stackTrace }
}

private fun why(thrown: DeviceIoException, kind: String): String =
    thrown.message.orEmpty().removePrefix("${thrown.deviceId()}: ").removePrefix(kind).removePrefix(": ")

private fun deadline(thrown: TimedOutException): Duration =
    Duration.ofMillis(MILLIS.find(thrown.message.orEmpty())?.groupValues?.get(1)?.toLongOrNull() ?: 0)

private val MILLIS = Regex("""(\d+) ms$""")
