package dev.arraywright.kernel.driver.serve

import dev.arraywright.kernel.driver.isolate.FailureText
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.ChecksumException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import java.time.Duration

/**
 * What a driver throws stays there: an exception holds its own class, and by its trace the classes of all frames, and so
 * the driver. Here it is made anew, of the SPI's classes, with the driver's words.
 */
internal object Border {
    /** What a call on a device is to throw in the place of [thrown]. */
    fun deviceFailure(id: String, thrown: Throwable): Exception {
        val text = FailureText.of(thrown)
        val cause = DriverWords(text)
        return when (thrown) {
            is MediumErrorException -> MediumErrorException(id, thrown.offset(), thrown.length(), cause)
            is ChecksumException -> ChecksumException(id, thrown.offset(), thrown.length(), cause)
            is TimedOutException -> TimedOutException(id, deadline(text.message), cause)
            is OutOfSpaceException -> OutOfSpaceException(id, cause)
            is WriteProtectedException -> writeProtected(id, thrown, cause)
            is DeviceGoneException -> DeviceGoneException(id, said(thrown, GONE), cause)
            is IllegalArgumentException -> IllegalArgumentException(text.message, cause)
            else -> DeviceGoneException(id, "its driver failed: ${text.message}", cause)
        }
    }

    /** What an open is to throw in the place of [thrown]. */
    fun openFailure(driver: String, address: Any, thrown: Throwable): DriverException {
        val text = FailureText.of(thrown)
        val reason = text.reason
            ?: return DriverException(
                Reason.FAILED,
                "the driver $driver failed to open $address: ${text.message}",
                "see what the driver says, and ask its author",
                DriverWords(text),
            )
        return DriverException(reason, text.message, text.remedy, DriverWords(text))
    }

    private fun writeProtected(id: String, thrown: DeviceIoException, cause: Exception): DeviceIoException {
        val why = said(thrown, PROTECTED)
        return if (why.isEmpty()) WriteProtectedException(id, cause) else WriteProtectedException(id, why, cause)
    }

    /** What the driver gave as the reason; the SPI puts the device and the kind before it. */
    private fun said(thrown: DeviceIoException, kind: String): String =
        thrown.message.orEmpty().removePrefix("${thrown.deviceId()}: ").removePrefix(kind).removePrefix(": ")

    private fun deadline(message: String): Duration =
        Duration.ofMillis(MILLIS.find(message)?.groupValues?.get(1)?.toLongOrNull() ?: 0)

    private const val GONE = "device gone"
    private const val PROTECTED = "write protected"
    private val MILLIS = Regex("""within (\d+) ms$""")
}

/** What a driver threw, in words alone: its message is the driver's own, with the trace behind it. */
internal class DriverWords(text: FailureText) : Exception(text.stack.ifEmpty { text.message }, null, false, false)
