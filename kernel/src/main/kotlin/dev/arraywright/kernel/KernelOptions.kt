package dev.arraywright.kernel

import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.kernel.driver.DriverOptions
import dev.arraywright.kernel.event.journal.JournalLimits
import java.nio.file.Path
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * How a kernel is set up.
 *
 * @param clock where event and superblock times come from
 * @param closeWithin bound on [ArraywrightKernel.shutdown]: what has not ended by then is abandoned
 * @param bufferLimit bytes of off-heap memory that I/O may hold at once
 * @param journal the directory that keeps the events, of this kernel alone; absent: they are not kept
 * @param journalLimits how many of them it keeps
 * @param state the directory that remembers across restarts how far scrubs came and how disks aged; absent: in memory
 *   only
 * @param watch whether it follows what is plugged in and out, disks' health and how short memory is; see
 *   [ArraywrightKernel.machine]
 * @param memberDeadline how long a device of an array may take for one call, above the device's own deadline
 * @param readCache bytes of off-heap memory, besides, that hold what clients have read lately; 0 for none. Memory is
 *   taken as reads fill it, and what is read through another cache (a file system on an NBD client) hardly needs it
 * @param memory when memory is short
 * @param drivers how drivers that are loaded at run time are dealt with
 */
public data class KernelOptions(
    public val clock: Clock = Clock.System,
    public val closeWithin: Duration = 30.seconds,
    public val bufferLimit: Long = 256L shl 20,
    public val journal: Path? = null,
    public val journalLimits: JournalLimits = JournalLimits(),
    public val state: Path? = null,
    public val memberDeadline: Duration = 30.seconds,
    public val watch: Boolean = true,
    public val readCache: Long = 64L shl 20,
    public val memory: MemoryOptions = MemoryOptions(),
    public val drivers: DriverOptions = DriverOptions(),
)
