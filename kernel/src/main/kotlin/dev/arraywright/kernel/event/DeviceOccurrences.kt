package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/** An array was made of [members] and [spares]. */
@Serializable
public data class DeviceGroupCreated(
    override val subject: String,
    public val level: String,
    public val size: Long,
    public val members: List<String>,
    public val spares: List<String> = emptyList(),
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_GROUP_CREATED
    override val message: String
        get() = "$level of ${members.size} members and ${spares.size} spares, $size bytes"
}

/** A device joined a running array: into [slot], or as its spare where that is absent. */
@Serializable
public data class DeviceAdded(
    override val subject: String,
    public val device: String,
    public val slot: Int? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_ADDED
    override val message: String get() = device + (slot?.let { " takes slot $it" } ?: " waits as a spare") + why()
}

/** An array let go of a device. */
@Serializable
public data class DeviceRemoved(
    override val subject: String,
    public val device: String,
    public val slot: Int? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_REMOVED
    override val message: String get() = "$device is removed" + slot?.let { " from slot $it" }.orEmpty() + why()
}

/** A device was offered at assembly and not used. */
@Serializable
public data class DeviceLeftOut(
    override val subject: String,
    public val device: String,
    override val cause: String?,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_LEFT_OUT
    override val message: String get() = "$device is left out" + why()
}

/** A device works and is predicted to fail; [health] is 0 to 100 where it is known. */
@Serializable
public data class DeviceHealthWarning(
    override val subject: String,
    public val device: String,
    public val slot: Int? = null,
    public val health: Int? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_HEALTH_WARNING
    override val message: String
        get() = "$device may fail soon" + health?.let { ", its health is $it of 100" }.orEmpty() + why()
}

/** A member is out of service. */
@Serializable
public data class DeviceFailed(
    override val subject: String,
    public val device: String,
    public val slot: Int? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_FAILED
    override val message: String get() = "$device failed" + why()
}

/** A member that had failed is there again; where it was replaced meanwhile, its slot stays with [replacement]. */
@Serializable
public data class DeviceReturned(
    override val subject: String,
    public val device: String,
    public val slot: Int? = null,
    public val replacement: String? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_RETURNED
    override val message: String
        get() = "$device is there again" + replacement?.let { "; $it has its place" }.orEmpty() + why()
}

/** A member that was away has its slot back; [bytesDirty] are copied to it, all others it has. */
@Serializable
public data class DeviceReadded(
    override val subject: String,
    public val device: String,
    public val slot: Int,
    public val bytesDirty: Long? = null,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.DEVICE_READDED
    override val message: String
        get() = "$device has slot $slot back" + bytesDirty?.let { ", $it bytes are copied to it" }.orEmpty() + why()
}

/** [replacement] takes the place of [device], which failed or, where [predicted], is about to. */
@Serializable
public data class FailoverStarted(
    override val subject: String,
    public val device: String?,
    public val slot: Int,
    public val replacement: String,
    public val predicted: Boolean = false,
    override val cause: String? = null,
) : Occurrence {
    override val topic: Topic get() = Topic.FAILOVER_STARTED
    override val message: String
        get() = "$replacement takes slot $slot" + device?.let { ", the place of $it" }.orEmpty() + why()
}
