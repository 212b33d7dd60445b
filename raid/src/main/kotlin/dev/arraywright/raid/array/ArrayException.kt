package dev.arraywright.raid.array

/**
 * An operation on an array was refused or failed, told to an operator: [what] happened, [why], and the [remedy].
 * Results of reads and writes are no such thing: they are `DeviceIoException`s.
 */
public sealed class ArrayException(
    public val what: String,
    public val why: String,
    public val remedy: String,
    cause: Throwable? = null,
) : Exception("$what: $why; $remedy", cause) {
    /** The members given do not make the array asked for: number, size, chunk, duplicates. Nothing was written. */
    public class BadGeometry(what: String, why: String, remedy: String) : ArrayException(what, why, remedy)

    /** A device holds something already. Nothing was written. */
    public class InUse(what: String, why: String, remedy: String) : ArrayException(what, why, remedy)

    /** A device is too small, read-only, or of an unsupported block size. Nothing was written. */
    public class UnfitDevice(what: String, why: String, remedy: String) : ArrayException(what, why, remedy)

    /** No superblock that can be acted on. */
    public class NoSuperblock(what: String, why: String, remedy: String, cause: Throwable?) :
        ArrayException(what, why, remedy, cause)

    /** The devices found are not enough to serve the array's bytes. Nothing was written. */
    public class NotEnoughMembers(what: String, why: String, remedy: String) : ArrayException(what, why, remedy)

    /** Parity may not agree with the data, and a member's data could only be had from parity. Nothing was written. */
    public class DirtyAndDegraded(what: String, why: String, remedy: String) : ArrayException(what, why, remedy)

    /** The array uses something that is not supported. Nothing was written. */
    public class Unsupported(what: String, why: String, remedy: String) : ArrayException(what, why, remedy)

    /** The array is in no state for what was asked. */
    public class WrongState(what: String, why: String, remedy: String) : ArrayException(what, why, remedy)

    /** A device failed on the way. */
    public class DeviceFailed(what: String, why: String, remedy: String, cause: Throwable?) :
        ArrayException(what, why, remedy, cause)
}
