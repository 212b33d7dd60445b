package dev.arraywright.kernel.event

import kotlinx.serialization.Serializable

/** A driver runs that was not there before. */
@Serializable
public data class DriverLoaded(
    public val driver: String,
    public val version: String,
    /** Where it was read from. */
    public val jar: String,
    /** Address schemes and hardware patterns that it serves. */
    public val supportedDevices: List<String>,
    /** From its jar to running. */
    public val millis: Long,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_LOADED
    override val cause: String? get() = null
    override val message: String
        get() = "the driver $driver $version is loaded and serves ${supportedDevices.joinToString()}"
}

/** A driver was unloaded, and nothing of it is in memory any more. */
@Serializable
public data class DriverUnloaded(
    public val driver: String,
    public val version: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_UNLOADED
    override val cause: String? get() = null
    override val message: String get() = "the driver $driver $version is unloaded"
}

/** A driver cannot be loaded, or a jar has none that could. */
@Serializable
public data class DriverLoadFailed(
    public val jar: String,
    override val cause: String,
    /** Absent if the jar does not tell. */
    public val driver: String? = null,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_LOAD_FAILED
    override val message: String
        get() = (driver?.let { "the driver $it of $jar" } ?: jar) + " cannot be loaded" + why()
}

/** A driver cannot be unloaded, or did not end as it should. */
@Serializable
public data class DriverUnloadFailed(
    public val driver: String,
    override val cause: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_UNLOAD_FAILED
    override val message: String get() = "the driver $driver is not unloaded as it should be" + why()
}

/** A driver was unloaded and is in memory still: [holders] are what keeps it there, a line each, if that was found. */
@Serializable
public data class DriverLeaked(
    public val driver: String,
    public val version: String,
    public val holders: List<String>,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_LEAKED
    override val cause: String? get() = holders.joinToString("; ").ifEmpty { null }
    override val message: String get() = "the driver $driver $version is unloaded and yet in memory" + why()
}

/** A driver was replaced by another version of it, which has its devices now. */
@Serializable
public data class DriverUpgraded(
    public val driver: String,
    public val from: String,
    public val to: String,
    /** How many were handed over. */
    public val devices: Int,
    /** The longest that one of them did not answer. */
    public val longestPauseMicros: Long,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_UPGRADED
    override val cause: String? get() = null
    override val message: String
        get() = "the driver $driver is $to now, it was $from; $devices devices were handed over"
}

/** A running driver failed and is to be restarted. */
@Serializable
public data class DriverFailed(
    public val driver: String,
    override val cause: String,
    public val restartInMillis: Long,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_FAILED
    override val message: String
        get() = "the driver $driver failed and is restarted in $restartInMillis ms" + why()
}

/** A driver failed too often: it is not restarted until somebody loads it. */
@Serializable
public data class DriverQuarantined(
    public val driver: String,
    override val cause: String,
    public val failures: Int,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_QUARANTINED
    override val message: String
        get() = "the driver $driver failed $failures times and is left alone until it is loaded again" + why()
}

/** A driver does not run because one that it requires does not; it is restarted once that runs again. */
@Serializable
public data class DriverWaiting(
    public val driver: String,
    override val cause: String,
    override val subject: String = Occurrence.KERNEL,
) : Occurrence {
    override val topic: Topic get() = Topic.DRIVER_WAITING
    override val message: String get() = "the driver $driver waits for one that it requires" + why()
}
