package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/** An array that was there runs, of [members] members that are in place. */
@Serializable
public data class ArrayAssembled(
    override val subject: String,
    public val level: String,
    public val size: Long,
    public val members: List<String>,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.ARRAY_ASSEMBLED
    override val message: String get() = "$level of ${members.size} devices, $size bytes"
}

/** Redundancy is made to agree with the data. */
@Serializable
public data class ArrayResyncStarted(
    override val subject: String,
    public val bytesTotal: Long,
    public val bytesDone: Long = 0,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.ARRAY_RESYNC_STARTED
    override val message: String get() = "redundancy is made to agree with the data" + why()
}

/** Redundancy agrees with the data. */
@Serializable
public data class ArrayResyncComplete(
    override val subject: String,
    public val bytesTotal: Long,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.ARRAY_RESYNC_COMPLETE
    override val message: String get() = "redundancy agrees with the data"
}

/** The array serves everything and is [missing] of [members] members short; told again at every start. */
@Serializable
public data class ArrayDegraded(
    override val subject: String,
    public val missing: Int,
    public val members: Int,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.ARRAY_DEGRADED
    override val message: String get() = "$missing of $members members short" + why()
}

/** Every member is in sync again. */
@Serializable
public data class ArrayRecovered(override val subject: String, override val cause: String? = null) : Occurrence {
    override val topic: Topic get() = Topic.ARRAY_RECOVERED
    override val message: String get() = "every member is in sync"
}

/** The array is past its tolerance and refuses writes; told again at every start. */
@Serializable
public data class ArrayFailed(
    override val subject: String,
    public val missing: Int,
    public val members: Int,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.ARRAY_FAILED
    override val message: String get() = "past its tolerance, writes are refused" + why()
}

/** The array runs no more; a [cause] where it did not end as it should. */
@Serializable
public data class ArrayStopped(override val subject: String, override val cause: String? = null) : Occurrence {
    override val topic: Topic get() = Topic.ARRAY_STOPPED
    override val message: String get() = "stopped" + why()
}

/** A [setting] is [after] from now on; [before] is absent where it had its default. */
@Serializable
public data class PolicyChanged(
    override val subject: String,
    public val setting: String,
    public val before: String?,
    public val after: String,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.POLICY_CHANGED
    override val message: String get() = "$setting is $after" + before?.let { ", it was $it" }.orEmpty() + why()
}

/** A step of whoever looks after the array failed; it is tried again. */
@Serializable
public data class SupervisorTrouble(override val subject: String, override val cause: String?) : Occurrence {
    override val topic: Topic get() = Topic.SUPERVISOR_TROUBLE
    override val message: String get() = "a step of looking after it failed, and is tried again" + why()
}

/** The array is exported under the name [export]. */
@Serializable
public data class ExportStarted(
    override val subject: String,
    public val export: String,
    public val uri: String,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.EXPORT_STARTED
    override val message: String get() = "exported as $export at $uri"
}

/** The array's [export] is no more. */
@Serializable
public data class ExportStopped(
    override val subject: String,
    public val export: String,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.EXPORT_STOPPED
    override val message: String get() = "no longer exported as $export" + why()
}
