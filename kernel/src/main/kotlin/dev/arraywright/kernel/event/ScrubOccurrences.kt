package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/** What happens to a scrub: started, any number of others, and one of complete, failed and stopped. */
public sealed interface ScrubOccurrence : Occurrence {
    /** Bytes of each member that are looked at. */
    public val bytesDone: Long

    /** Bytes of each member. */
    public val bytesTotal: Long
}

/** Data and redundancy are compared; where [repair], what does not agree is mended. */
@Serializable
public data class ScrubStarted(
    override val subject: String,
    public val repair: Boolean,
    override val bytesTotal: Long,
    override val bytesDone: Long = 0,
    override val cause: String? = null,
) : ScrubOccurrence {
    override val topic: Topic get() = Topic.SCRUB_STARTED
    override val message: String
        get() = (if (repair) "repair" else "check") + (if (bytesDone > 0) " goes on ${at()}" else " begins") + why()
}

/** [percent] is done, [mismatches] were found so far. */
@Serializable
public data class ScrubProgress(
    override val subject: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    public val mismatches: Long = 0,
    public val percent: Int = percentOf(bytesDone, bytesTotal),
    override val cause: String? = null,
) : ScrubOccurrence {
    override val topic: Topic get() = Topic.SCRUB_PROGRESS
    override val message: String get() = "$percent % is scrubbed, $mismatches mismatches"
}

/** All was compared: [mismatches] were found, [repaired] of them mended. */
@Serializable
public data class ScrubComplete(
    override val subject: String,
    override val bytesTotal: Long,
    public val mismatches: Long,
    public val repaired: Long = 0,
    override val bytesDone: Long = bytesTotal,
    override val cause: String? = null,
) : ScrubOccurrence {
    override val topic: Topic get() = Topic.SCRUB_COMPLETE
    override val message: String get() = "all is scrubbed, $mismatches mismatches, $repaired repaired"
}

/** The scrub could not go on. */
@Serializable
public data class ScrubFailed(
    override val subject: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    override val cause: String?,
    public val mismatches: Long = 0,
) : ScrubOccurrence {
    override val topic: Topic get() = Topic.SCRUB_FAILED
    override val message: String get() = "the scrub ended ${at()}, $mismatches mismatches" + why()
}

/** Somebody ended the scrub. */
@Serializable
public data class ScrubStopped(
    override val subject: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    public val mismatches: Long = 0,
    override val cause: String? = null,
) : ScrubOccurrence {
    override val topic: Topic get() = Topic.SCRUB_STOPPED
    override val message: String get() = "the scrub is stopped ${at()}, $mismatches mismatches" + why()
}

/** The scrub rests until it is resumed. */
@Serializable
public data class ScrubPaused(
    override val subject: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    override val cause: String? = null,
) : ScrubOccurrence {
    override val topic: Topic get() = Topic.SCRUB_PAUSED
    override val message: String get() = "the scrub rests ${at()}" + why()
}

/** A scrub that rested goes on. */
@Serializable
public data class ScrubResumed(
    override val subject: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    override val cause: String? = null,
) : ScrubOccurrence {
    override val topic: Topic get() = Topic.SCRUB_RESUMED
    override val message: String get() = "the scrub goes on ${at()}" + why()
}

private fun ScrubOccurrence.at(): String = "at ${percentOf(bytesDone, bytesTotal)} %"
