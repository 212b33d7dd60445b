package dev.arraywright.raid.array

import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus
import dev.arraywright.spi.device.DeviceIoException
import kotlin.time.Duration

/**
 * Sees all that happens to an array, each thing once and in order, where [RaidArray.state] shows the latest only.
 * Called where it happens, on any thread: an observer returns at once and throws nothing.
 */
public interface ArrayObserver {
    /** The state became [after]. */
    public fun changed(before: ArrayState, after: ArrayState) {}

    /** A call to a member ended after [took], well or with [failure]. */
    public fun called(deviceId: String, call: MemberCallKind, took: Duration, failure: DeviceIoException?) {}

    /** A rebuild began, changed its phase or came on by a percent. */
    public fun rebuild(status: RebuildStatus) {}

    /** A scrub began, changed its phase, came on by a percent or found something. */
    public fun scrub(status: ScrubStatus) {}
}

/** What a member was asked. */
public enum class MemberCallKind { READ, WRITE, FLUSH }
