package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/** A disk is there that was not there before; [device] is its path, [id] stays with it wherever it is plugged in. */
@Serializable
public data class HardwareAdded(
    public val device: String,
    public val id: String,
    public val size: Long? = null,
    public val model: String? = null,
    public val serial: String? = null,
    /** Who uses it; absent if it is free. */
    public val inUse: String? = null,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.HARDWARE_ADDED
    override val cause: String? get() = null
    override val message: String
        get() = "$device is plugged in" + listOfNotNull(model, serial, size?.let { "$it bytes" }, inUse)
            .joinToString().let { if (it.isEmpty()) "" else ": $it" }
}

/** A disk is not there any more. */
@Serializable
public data class HardwareRemoved(
    public val device: String,
    public val id: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.HARDWARE_REMOVED
    override val cause: String? get() = null
    override val message: String get() = "$device is unplugged"
}

/** Something about a disk is another now: [changes] by what it is, as `before -> after`. */
@Serializable
public data class HardwareChanged(
    public val device: String,
    public val id: String,
    public val changes: Map<String, String>,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.HARDWARE_CHANGED
    override val cause: String? get() = null
    override val message: String
        get() = "$device changed: " + changes.entries.joinToString { (what, how) -> "$what $how" }
}

/** A disk says, or shows, that it may fail; an array that uses it tells so of its member as well. */
@Serializable
public data class HardwareHealthWarning(
    public val device: String,
    public val id: String,
    override val cause: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.HARDWARE_HEALTH_WARNING
    override val message: String get() = "$device may fail" + why()
}

/** Nothing is wrong with a disk's health any more. */
@Serializable
public data class HardwareHealthRecovered(
    public val device: String,
    public val id: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.HARDWARE_HEALTH_RECOVERED
    override val cause: String? get() = null
    override val message: String get() = "$device is well again"
}

/** Memory is scarcer or less scarce than before: [level] is `none`, `low`, `medium` or `critical`. */
@Serializable
public data class MemoryPressureChanged(
    public val level: String,
    /** Bytes that would end the shortfall. */
    public val bytesToRelease: Long,
    /** What noticed. */
    public val source: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.MEMORY_PRESSURE
    override val cause: String? get() = source.ifEmpty { null }
    override val message: String
        get() = if (level == "none") "memory suffices again" else "$bytesToRelease bytes are short ($level)" + why()
}

/**
 * Memory was given back as it was short: what was [asked] for, what each part [released], by its own count, and by how
 * much the process is smaller in memory ([confirmed]).
 */
@Serializable
public data class MemoryReleased(
    public val asked: Long,
    public val released: Map<String, Long>,
    public val confirmed: Long,
    override val cause: String? = null,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.MEMORY_RELEASED
    override val message: String
        get() = "gave back ${released.values.sum()} of $asked bytes (" +
            released.entries.joinToString { (who, bytes) -> "$who $bytes" } + "), confirmed $confirmed" + why()
}
