package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/** A spare joined those of a group, or the shared ones where the subject is [Occurrence.KERNEL]. */
@Serializable
public data class SpareAdded(
    override val subject: String,
    public val device: String,
    public val size: Long? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.SPARE_ADDED
    override val message: String get() = "$device is a spare" + size?.let { " of $it bytes" }.orEmpty() + why()
}

/** A device that is to be a spare is not there: it becomes one as soon as it is plugged in. */
@Serializable
public data class SpareAwaited(
    override val subject: String,
    public val device: String,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.SPARE_AWAITED
    override val message: String get() = "$device is to be a spare once it is there" + why()
}

/** A spare is none any more. */
@Serializable
public data class SpareRemoved(
    override val subject: String,
    public val device: String,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.SPARE_REMOVED
    override val message: String get() = "$device is no spare any more" + why()
}

/** A spare did not pass its check, or was the reason that a rebuild failed. */
@Serializable
public data class SpareFailed(
    override val subject: String,
    public val device: String,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.SPARE_FAILED
    override val message: String get() = "the spare $device is unusable" + why()
}

/** There is no spare for [slot]; the cause says why each that is there will not do. */
@Serializable
public data class SpareExhausted(
    override val subject: String,
    public val device: String? = null,
    public val slot: Int? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.SPARE_EXHAUSTED
    override val message: String
        get() = "no spare is left${device?.let {
            " for $it"
        }.orEmpty()}${slot?.let { " in slot $it" }.orEmpty()}" + why()
}
