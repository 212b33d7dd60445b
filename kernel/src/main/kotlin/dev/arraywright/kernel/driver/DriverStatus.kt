package dev.arraywright.kernel.driver

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.lifecycle.DriverSupervisor
import dev.arraywright.kernel.driver.serve.CallFigures
import dev.arraywright.spi.device.DeviceHealth
import kotlinx.coroutines.flow.StateFlow
import java.nio.file.Path
import java.time.Instant
import kotlin.time.Duration

/**
 * A driver as it was at one moment.
 *
 * @property name the driver's, or the file name of a jar that was rejected
 * @property info absent for such a jar
 * @property jar absent for one that is built in
 * @property since when it came to [state]
 * @property settings what it was given, default values included
 * @property notes what an operator or its author should know, a line each
 * @property loadTime from its jar to running, the latest time
 * @property devices addresses of those open
 * @property figures over all its lives and versions
 * @property health what it said when it was last asked
 * @property classes loaded, and [classBytes] those of their files, a measure of the metaspace that they take
 */
public data class DriverStatus(
    public val name: String,
    public val info: DriverInfo?,
    public val state: DriverState,
    public val jar: Path?,
    public val since: Instant,
    public val settings: Map<String, String> = emptyMap(),
    public val notes: List<String> = emptyList(),
    public val loadTime: Duration? = null,
    public val devices: List<String> = emptyList(),
    public val figures: CallFigures = CallFigures(),
    public val health: DeviceHealth = DeviceHealth.UNKNOWN,
    public val classes: Int = 0,
    public val classBytes: Long = 0,
) {
    /** Whether it comes with Arraywright, and so is always there, and never loaded, unloaded or replaced. */
    public val builtIn: Boolean get() = jar == null

    /** Whether it is loaded, or was and failed; what is going or gone is not. */
    public val isLoaded: Boolean
        get() = when (state) {
            DriverState.Discovered, is DriverState.Rejected, DriverState.Unloading, DriverState.Unloaded,
            is DriverState.Leaked,
            -> false
            else -> true
        }
}

/** A driver that was loaded. */
public class DriverHandle internal constructor(private val supervisor: DriverSupervisor) {
    /** The driver's name, by which it is unloaded and upgraded. */
    public val id: String get() = info.name

    /** What it announces; another version's after an upgrade. */
    public val info: DriverInfo get() = supervisor.info

    /** How it is; after it is unloaded, whether it is gone. */
    public val state: StateFlow<DriverState> get() = supervisor.state

    override fun toString(): String = "$info: ${state.value.name}"
}

/** What became of several jars: the drivers that run now, in the order of their start, and what could not be loaded. */
public data class LoadReport(public val loaded: List<DriverHandle>, public val failures: List<DriverFailure>)

/** A driver, or else a jar, that could not be loaded. */
public data class DriverFailure(public val name: String, public val error: KernelError)

/**
 * Figures of all drivers together that are loaded at run time; those that are built in are not among them.
 *
 * @property leaked instances that were unloaded and are, or were long afterwards, in memory
 * @property stranded loads that hang, each with a thread that cannot be ended
 */
public data class DriverStatistics(
    public val running: Int,
    public val failed: Int,
    public val leaked: Int,
    public val stranded: Int,
    public val devices: Int,
    public val opens: Long,
    public val calls: Long,
    public val errors: Long,
    public val classes: Int,
    public val classBytes: Long,
)
