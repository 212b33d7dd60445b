package dev.arraywright.admin.control

import dev.arraywright.kernel.KernelError
import dev.arraywright.spi.device.AddressSyntaxException
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.serialization.Serializable
import java.io.IOException

/**
 * A failure as a problem document (RFC 9457): [title] says what happened, [detail] why, and the extension members
 * [remedy] what to do, [code] the stable name of the kind and [details] where in a driver it went wrong, for its
 * author. [type] is the code as a URN.
 */
@Serializable
internal data class Problem(
    val title: String,
    val detail: String,
    val status: Int,
    val code: String,
    val remedy: String = "",
    val type: String = "urn:arraywright:$code",
    val details: String = "",
) {
    /** The failure this was made of, as far as a document can carry it. */
    fun toError(): KernelError = when (code) {
        "invalid-request" -> KernelError.InvalidRequest(title, detail, remedy)
        "not-found" -> KernelError.NotFound(title, detail, remedy)
        "in-use" -> KernelError.InUse(title, detail, remedy)
        "array-refuses" -> KernelError.ArrayRefuses(title, detail, remedy)
        "driver-unusable" -> KernelError.DriverUnusable(title, detail, remedy, details)
        "bad-configuration" -> KernelError.BadConfiguration(title, detail, remedy)
        "not-stopped" -> KernelError.NotStopped(title, detail, remedy)
        "closed" -> KernelError.Closed()
        else -> KernelError.DeviceUnusable(title, detail, remedy)
    }

    companion object {
        const val MEDIA_TYPE = "application/problem+json"

        /** Every failure has a document; what nobody foresaw has the code `internal`. */
        fun of(failure: Throwable): Problem = when (failure) {
            is KernelError -> Problem(
                failure.what,
                failure.why,
                status(failure),
                failure.code,
                failure.remedy,
                details = (failure as? KernelError.DriverUnusable)?.details.orEmpty(),
            )
            is AddressSyntaxException -> Problem(
                "'${failure.input()}' is not a storage address",
                "${failure.reason()} at position ${failure.position()}",
                BAD_REQUEST,
                "invalid-request",
                "write a path, or an address such as file:/srv/m0.img, block:/dev/sdb or nbd://host/name",
            )
            is DeviceIoException -> Problem(
                "a device failed",
                failure.message.orEmpty(),
                UNPROCESSABLE,
                "device-unusable",
                "look at the device and at the system's log",
            )
            is IOException -> Problem(
                "input or output failed",
                failure.message ?: failure.javaClass.simpleName,
                UNPROCESSABLE,
                "device-unusable",
                "look at the path, its rights and the free space",
            )
            else -> Problem(
                "this should not happen",
                "${failure.javaClass.simpleName}: ${failure.message.orEmpty()}",
                INTERNAL,
                "internal",
                "run it again with --debug and report what it prints",
            )
        }

        private fun status(error: KernelError): Int = when (error) {
            is KernelError.InvalidRequest, is KernelError.BadConfiguration -> BAD_REQUEST
            is KernelError.NotFound -> NOT_FOUND
            is KernelError.InUse, is KernelError.ArrayRefuses -> CONFLICT
            is KernelError.DeviceUnusable, is KernelError.DriverUnusable -> UNPROCESSABLE
            is KernelError.Closed -> UNAVAILABLE
            is KernelError.NotStopped -> INTERNAL
        }

        private const val BAD_REQUEST = 400
        private const val NOT_FOUND = 404
        private const val CONFLICT = 409
        private const val UNPROCESSABLE = 422
        private const val INTERNAL = 500
        private const val UNAVAILABLE = 503
    }
}
