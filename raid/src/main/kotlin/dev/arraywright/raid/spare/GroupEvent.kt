package dev.arraywright.raid.spare

import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus

/** What became of a group of devices, or of the shared spares: then [group] is null. */
public sealed interface GroupEvent {
    public val group: String?

    /** A member is out of the array. */
    public data class MemberFailed(
        override val group: String,
        public val slot: Int,
        public val device: String,
        public val cause: String,
    ) : GroupEvent

    /** A member was swapped for [by], which was filled beside it. */
    public data class MemberReplaced(
        override val group: String,
        public val slot: Int,
        public val device: String,
        public val by: String?,
        public val cause: String,
    ) : GroupEvent

    /** A device that was out was taken away from the array. */
    public data class MemberRemoved(override val group: String, public val device: String) : GroupEvent

    /** A member is predicted to fail. */
    public data class HealthWarning(
        override val group: String,
        public val slot: Int,
        public val device: String,
        public val cause: String,
    ) : GroupEvent

    /** [spare] takes the place of [failed], which may be unknown; [cause] is why it is out or to go. */
    public data class FailoverStarted(
        override val group: String,
        public val slot: Int,
        public val failed: String?,
        public val spare: String,
        public val cause: String,
    ) : GroupEvent

    /** A rebuild was decided, changed its phase, came on by ten percent, or ended. */
    public data class Rebuild(override val group: String, public val status: RebuildStatus) : GroupEvent

    public data class SpareAdded(override val group: String?, public val device: String) : GroupEvent

    public data class SpareRemoved(override val group: String?, public val device: String) : GroupEvent

    /** A spare is dead, and no spare any more. */
    public data class SpareFailed(
        override val group: String?,
        public val device: String,
        public val cause: String,
    ) : GroupEvent

    /** [slot] needs a spare because of [cause], and there is none; [why] says for each spare why not. */
    public data class SparesExhausted(
        override val group: String,
        public val slot: Int,
        public val cause: String,
        public val why: Map<String, String>,
    ) : GroupEvent

    /** The array serves with [missing] members fewer. */
    public data class Degraded(override val group: String, public val missing: Int) : GroupEvent

    /** The array has all its members again. */
    public data class Recovered(override val group: String) : GroupEvent

    /** The array is past its tolerance. */
    public data class Failed(override val group: String, public val reason: String) : GroupEvent

    /** A member that was away is back and was not taken in again; [why] says why. */
    public data class MemberReturned(
        override val group: String,
        public val slot: Int,
        public val device: String,
        public val why: String,
    ) : GroupEvent

    /** A member that was away has its slot again; [byBitmap]: only what it missed is filled. */
    public data class MemberReadded(
        override val group: String,
        public val slot: Int,
        public val device: String,
        public val byBitmap: Boolean,
    ) : GroupEvent

    /** A scrub began, changed its phase, came on by ten percent, found mismatches, or ended. */
    public data class Scrub(override val group: String, public val status: ScrubStatus) : GroupEvent

    /** Redundancy is being made to agree with the data. */
    public data class ResyncStarted(override val group: String) : GroupEvent

    public data class ResyncFinished(override val group: String) : GroupEvent

    /** A step of the supervisor itself failed; it is tried again. */
    public data class SupervisorTrouble(override val group: String?, public val cause: String) : GroupEvent
}
