package dev.arraywright.kernel

import dev.arraywright.spi.driver.DriverException

/**
 * A failure told to an operator: [what] happened, [why], and [remedy], what to do about it (empty where nothing comes
 * to mind). Nothing was changed unless [what] says so.
 */
public sealed class KernelError(
    public val what: String,
    public val why: String,
    public val remedy: String,
    cause: Throwable? = null,
) : Exception(listOf(what, why).filter { it.isNotEmpty() }.joinToString(": "), cause) {
    /** A stable name of the kind, for programs. */
    public abstract val code: String

    /** The request itself makes no sense: a bad address, name, level or number. */
    public class InvalidRequest(what: String, why: String, remedy: String = "", cause: Throwable? = null) :
        KernelError(what, why, remedy, cause) {
        override val code: String get() = "invalid-request"
    }

    /** What was named is not here: a device, an array, an export. */
    public class NotFound(what: String, why: String, remedy: String = "", cause: Throwable? = null) :
        KernelError(what, why, remedy, cause) {
        override val code: String get() = "not-found"
    }

    /** Somebody else has it, or it exists already. */
    public class InUse(what: String, why: String, remedy: String = "", cause: Throwable? = null) :
        KernelError(what, why, remedy, cause) {
        override val code: String get() = "in-use"
    }

    /** A device could not be opened or does not do its work. */
    public class DeviceUnusable(what: String, why: String, remedy: String = "", cause: Throwable? = null) :
        KernelError(what, why, remedy, cause) {
        override val code: String get() = "device-unusable"
    }

    /** The array refuses, to keep its data safe. */
    public class ArrayRefuses(what: String, why: String, remedy: String = "", cause: Throwable? = null) :
        KernelError(what, why, remedy, cause) {
        override val code: String get() = "array-refuses"
    }

    /**
     * A driver cannot be loaded or does not do its work.
     *
     * @property details for its author: where in the driver it went wrong, or empty
     */
    public class DriverUnusable(what: String, why: String, remedy: String = "", public val details: String = "") :
        KernelError(what, why, remedy) {
        override val code: String get() = "driver-unusable"
    }

    /** The configuration file is wrong; the running configuration stays as it was. */
    public class BadConfiguration(what: String, why: String, remedy: String = "", cause: Throwable? = null) :
        KernelError(what, why, remedy, cause) {
        override val code: String get() = "bad-configuration"
    }

    /** The kernel is closed, and something in it did not end as it should. */
    public class NotStopped(what: String, why: String, remedy: String = "", cause: Throwable? = null) :
        KernelError(what, why, remedy, cause) {
        override val code: String get() = "not-stopped"
    }

    /** The kernel is closed. */
    public class Closed : KernelError("the kernel is closed", "", "start a new one") {
        override val code: String get() = "closed"
    }

    /** The same, in other words. */
    internal fun retold(what: String, why: String, remedy: String): KernelError = when (this) {
        is InvalidRequest -> InvalidRequest(what, why, remedy, cause)
        is NotFound -> NotFound(what, why, remedy, cause)
        is InUse -> InUse(what, why, remedy, cause)
        is DeviceUnusable -> DeviceUnusable(what, why, remedy, cause)
        is ArrayRefuses -> ArrayRefuses(what, why, remedy, cause)
        is DriverUnusable -> DriverUnusable(what, why, remedy, details)
        is BadConfiguration -> BadConfiguration(what, why, remedy, cause)
        is NotStopped -> NotStopped(what, why, remedy, cause)
        is Closed -> this
    }

    internal companion object {
        fun of(address: String, e: DriverException): KernelError {
            val what = "cannot open $address"
            return when (e.reason()) {
                DriverException.Reason.NOT_FOUND -> NotFound(what, e.message.orEmpty(), e.remedy(), e)
                DriverException.Reason.IN_USE -> InUse(what, e.message.orEmpty(), e.remedy(), e)
                DriverException.Reason.INVALID -> InvalidRequest(what, e.message.orEmpty(), e.remedy(), e)
                else -> DeviceUnusable(what, e.message.orEmpty(), e.remedy(), e)
            }
        }
    }
}
