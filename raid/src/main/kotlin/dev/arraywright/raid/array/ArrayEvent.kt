package dev.arraywright.raid.array

/** What happens to an array. */
public sealed interface ArrayEvent {
    public data object WriteBegan : ArrayEvent

    public data object WentIdle : ArrayEvent

    /** The superblocks of all members say [events] now. */
    public data class Recorded(public val events: Long) : ArrayEvent

    /** [readable]: it may still be read from, should it be the last copy. */
    public data class MemberFailed(
        public val slot: Int,
        public val cause: String,
        public val readable: Boolean,
    ) : ArrayEvent

    /** A device that was out is nobody's concern any more. */
    public data class DeviceReleased(public val deviceId: String) : ArrayEvent

    public data class SpareAdded(public val deviceId: String) : ArrayEvent

    public data class SpareGone(public val deviceId: String) : ArrayEvent

    /** A spare takes an empty slot, or with [byBitmap] a member that was away takes its own. */
    public data class RebuildStarted(
        public val slot: Int,
        public val deviceId: String,
        public val done: Long,
        public val byBitmap: Boolean = false,
    ) : ArrayEvent

    public data class RebuildAdvanced(public val slot: Int, public val done: Long) : ArrayEvent

    public data class RebuildFinished(public val slot: Int) : ArrayEvent

    /** Called off: the slot is empty again, and the device a spare; [cause] is null if somebody asked for it. */
    public data class RebuildEnded(public val slot: Int, public val cause: String?) : ArrayEvent

    /** A spare is to take the place of a member that serves. */
    public data class ReplacementStarted(
        public val slot: Int,
        public val deviceId: String,
        public val done: Long,
    ) : ArrayEvent

    public data class ReplacementAdvanced(public val slot: Int, public val done: Long) : ArrayEvent

    /** The member goes, [cause] is why it was replaced. */
    public data class ReplacementFinished(public val slot: Int, public val cause: String) : ArrayEvent

    /** Called off or failed; the device is a spare again unless [spareAtFault]. */
    public data class ReplacementEnded(
        public val slot: Int,
        public val cause: String?,
        public val spareAtFault: Boolean,
    ) : ArrayEvent

    public data class ResyncAdvanced(public val done: Long) : ArrayEvent

    public data object ResyncFinished : ArrayEvent

    public data class ErrorSeen(public val text: String) : ArrayEvent

    public data object Stop : ArrayEvent
}
