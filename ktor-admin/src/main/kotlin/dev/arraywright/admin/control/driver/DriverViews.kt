package dev.arraywright.admin.control.driver

import kotlinx.serialization.Serializable

/** The drivers of a process, built-in ones included, in the order of their names; and how those of jars do. */
@Serializable
internal data class DriversView(val drivers: List<DriverView>, val statistics: StatisticsView)

/** A driver as it is now; one of a jar that was rejected has the jar's name, and nothing [announced]. */
@Serializable
internal data class DriverView(
    val name: String,
    /** As `running`; see the kernel's states. */
    val state: String,
    /** Why it was rejected or failed, or what holds a leaked one. */
    val detail: String? = null,
    /** It failed too often, and is left alone until somebody loads it. */
    val quarantined: Boolean = false,
    val since: String,
    /** Absent for one that is built in. */
    val jar: String? = null,
    /** It comes with Arraywright, and is neither loaded, nor unloaded, nor upgraded. */
    val builtIn: Boolean = false,
    val announced: AnnouncedView? = null,
    /** What it was given, default values included. */
    val settings: Map<String, String> = emptyMap(),
    val notes: List<String> = emptyList(),
    /** From its jar to running, the latest time. */
    val loadMillis: Long? = null,
    /** Addresses of those open. */
    val devices: List<String> = emptyList(),
    val figures: FiguresView = FiguresView(),
    val health: String = "unknown",
    val healthDetail: String = "",
    val classes: Int = 0,
    val classBytes: Long = 0,
)

/** What a driver tells of itself before it is loaded. */
@Serializable
internal data class AnnouncedView(
    val name: String,
    val version: String,
    val description: String,
    val entryType: String,
    /** Address schemes, and with a colon hardware patterns. */
    val supportedDevices: List<String>,
    val minimumPlatform: String,
    val autoLoad: Boolean,
    /** An upgrade opens its devices before the old ones are paused. */
    val opensBeside: Boolean = false,
    val requires: List<String> = emptyList(),
    val settings: List<SettingView> = emptyList(),
)

/** A setting that a driver declares. */
@Serializable
internal data class SettingView(
    val name: String,
    val description: String,
    val type: String,
    val default: String? = null,
    val required: Boolean = false,
    val choices: List<String> = emptyList(),
)

/** What a driver was asked for over all its lives and versions. */
@Serializable
internal data class FiguresView(
    val opens: Long = 0,
    val calls: Long = 0,
    val errors: Long = 0,
    val meanMicros: Long = 0,
    val maxMicros: Long = 0,
    /** What half of the calls did not exceed, and all but a hundredth. */
    val p50Micros: Long = 0,
    val p99Micros: Long = 0,
)

/** All drivers of jars together. */
@Serializable
internal data class StatisticsView(
    val running: Int,
    val failed: Int,
    val leaked: Int,
    /** Loads that hang, each with a thread that cannot be ended. */
    val stranded: Int,
    val devices: Int,
    val opens: Long,
    val calls: Long,
    val errors: Long,
    val classes: Int,
    val classBytes: Long,
)

/** What is in some jars. */
@Serializable
internal data class ScanView(
    val candidates: List<CandidateView>,
    val rejected: List<RejectedView>,
    /** Sound jars without a driver. */
    val libraries: List<String>,
)

/** A driver that could be loaded. */
@Serializable
internal data class CandidateView(val jar: String, val announced: AnnouncedView, val notes: List<String> = emptyList())

/** A jar that nothing is loaded from: it [why]. */
@Serializable
internal data class RejectedView(val jar: String, val why: String)

/** How a driver was replaced. */
@Serializable
internal data class UpgradeView(
    val name: String,
    val from: String?,
    val to: String?,
    /** How many were moved. */
    val devices: Int,
    val longestPauseMicros: Long,
    val totalMicros: Long,
    val notes: List<String> = emptyList(),
)

/** Loads a driver of [jar], a path on the serving process's machine; [type] is its class, where there are several. */
@Serializable
internal data class LoadRequest(
    val jar: String,
    val type: String? = null,
    val settings: Map<String, String> = emptyMap(),
)

/** Replaces a driver by the one of its name in [jar], and with it those that the jars [with] have other versions of. */
@Serializable
internal data class UpgradeRequest(val jar: String, val with: List<String> = emptyList())
