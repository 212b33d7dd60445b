package dev.arraywright.hardware.discovery

import kotlin.time.Duration

/** How a [HardwareMonitor] comes by what it knows, and how well. */
public data class MonitorStatus(
    /** What is looked at: `sysfs` or `oshi`. */
    val probe: String,
    /** What wakes it: `uevents` or `polling`. */
    val source: String,
    /** Why it polls, though it would rather be woken. */
    val polling: String? = null,
    /** Why [HardwareMonitor.devices] may be behind the truth: a look that failed or hangs; null if all is well. */
    val degraded: String? = null,
    /** Full looks that succeeded. */
    val fullLooks: Long = 0,
    /** Looks at single devices that succeeded. */
    val partialLooks: Long = 0,
    /** Times that the kernel dropped events, each made good by a full look. */
    val overflows: Long = 0,
    /** Events that another process than the kernel sent, not believed. */
    val forged: Long = 0,
    /** How long the last look took. */
    val lookTime: Duration? = null,
    /** From the first event of the last batch until its outcome was in [HardwareMonitor.devices]. */
    val latency: Duration? = null,
)
