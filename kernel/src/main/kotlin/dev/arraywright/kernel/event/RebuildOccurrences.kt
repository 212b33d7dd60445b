package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/**
 * What happens to a rebuild: started, any number of others, and one of [RebuildComplete], [RebuildFailed] and
 * [RebuildCancelled].
 */
public sealed interface RebuildOccurrence : Occurrence {
    /** The rebuild's id; absent where nobody gave it one. */
    public val rebuild: String?

    /** The slot that is filled. */
    public val slot: Int

    /** The address it is filled at. */
    public val replacement: String

    /** Bytes of the member that are done. */
    public val bytesDone: Long

    /** Bytes of the member. */
    public val bytesTotal: Long
}

/** [replacement] begins to be filled, in the place of [failed]; [bytesDone] is more than 0 where it goes on. */
@Serializable
public data class RebuildStarted(
    override val subject: String,
    override val rebuild: String?,
    override val slot: Int,
    override val replacement: String,
    override val bytesTotal: Long,
    override val bytesDone: Long = 0,
    public val failed: String? = null,
    override val cause: String? = null,
) : RebuildOccurrence {
    override val topic: Topic get() = Topic.REBUILD_STARTED
    override val message: String
        get() = "rebuilding slot $slot onto $replacement" + (if (bytesDone > 0) " from byte $bytesDone" else "") + why()
}

/** [percent] is done. */
@Serializable
public data class RebuildProgress(
    override val subject: String,
    override val rebuild: String?,
    override val slot: Int,
    override val replacement: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    public val percent: Int = percentOf(bytesDone, bytesTotal),
    override val cause: String? = null,
) : RebuildOccurrence {
    override val topic: Topic get() = Topic.REBUILD_PROGRESS
    override val message: String get() = "slot $slot is $percent % rebuilt on $replacement"
}

/** [slot] is in sync on [replacement]. */
@Serializable
public data class RebuildComplete(
    override val subject: String,
    override val rebuild: String?,
    override val slot: Int,
    override val replacement: String,
    override val bytesTotal: Long,
    override val bytesDone: Long = bytesTotal,
    override val cause: String? = null,
) : RebuildOccurrence {
    override val topic: Topic get() = Topic.REBUILD_COMPLETE
    override val message: String get() = "slot $slot is in sync on $replacement"
}

/** The rebuild ended before its end. */
@Serializable
public data class RebuildFailed(
    override val subject: String,
    override val rebuild: String?,
    override val slot: Int,
    override val replacement: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    override val cause: String?,
) : RebuildOccurrence {
    override val topic: Topic get() = Topic.REBUILD_FAILED
    override val message: String get() = "slot $slot could not be rebuilt onto $replacement" + why()
}

/** Somebody ended the rebuild. */
@Serializable
public data class RebuildCancelled(
    override val subject: String,
    override val rebuild: String?,
    override val slot: Int,
    override val replacement: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    override val cause: String? = null,
) : RebuildOccurrence {
    override val topic: Topic get() = Topic.REBUILD_CANCELLED
    override val message: String
        get() = "the rebuild of slot $slot onto $replacement is cancelled ${at()}" + why()
}

/** The rebuild rests until it is resumed. */
@Serializable
public data class RebuildPaused(
    override val subject: String,
    override val rebuild: String?,
    override val slot: Int,
    override val replacement: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    override val cause: String? = null,
) : RebuildOccurrence {
    override val topic: Topic get() = Topic.REBUILD_PAUSED
    override val message: String get() = "the rebuild of slot $slot onto $replacement rests ${at()}" + why()
}

/** A rebuild that rested goes on. */
@Serializable
public data class RebuildResumed(
    override val subject: String,
    override val rebuild: String?,
    override val slot: Int,
    override val replacement: String,
    override val bytesDone: Long,
    override val bytesTotal: Long,
    override val cause: String? = null,
) : RebuildOccurrence {
    override val topic: Topic get() = Topic.REBUILD_RESUMED
    override val message: String get() = "the rebuild of slot $slot onto $replacement goes on ${at()}" + why()
}

private fun RebuildOccurrence.at(): String = "at ${percentOf(bytesDone, bytesTotal)} %"
