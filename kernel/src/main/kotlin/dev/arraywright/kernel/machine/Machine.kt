package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareChange
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.discovery.HardwareMonitor
import dev.arraywright.hardware.health.HealthMonitor
import dev.arraywright.hardware.health.HealthThresholds
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.hardware.memory.balloon.BalloonDriver
import dev.arraywright.hardware.memory.pressure.MemoryMonitor
import dev.arraywright.hardware.numa.NumaTopology
import dev.arraywright.hardware.platform.CapabilityRegistry
import dev.arraywright.hardware.platform.HypervisorDetector
import dev.arraywright.hardware.platform.Platform
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.withContext

/**
 * The machine that a kernel runs on: what there is and how it changes. What a platform lacks is said where one looks for
 * it, and nothing fails for it. All of it ends with the kernel, so none of it is to be closed. Thread-safe.
 */
public class Machine internal constructor(
    /** How devices are discovered, and whether that works as it should. */
    public val monitor: HardwareMonitor,
    /** What the machine, its kernel and the application can do, by name. */
    public val capabilities: CapabilityRegistry,
    private val detector: HypervisorDetector,
    /** The health of its disks. */
    public val health: HealthMonitor,
    /** From when on their health is a matter of concern; may be changed at any time. */
    public val thresholds: HealthThresholds,
    /** How short memory is. */
    public val memory: MemoryMonitor,
    /** Who gives memory back then; applications may register handlers of their own. */
    public val balloon: BalloonDriver,
    /** The memory that its I/O goes through. */
    public val buffers: BufferPool,
) {
    /** All devices by id; empty until the first look is done. */
    public val devices: StateFlow<Map<DeviceId, HardwareDevice>> get() = monitor.devices

    /** First what is there, then what changes. */
    public val changes: Flow<HardwareChange> get() = monitor.changes

    /**
     * The device with that id, kernel's name, serial number or path, to which a symbolic link may lead.
     *
     * @throws dev.arraywright.kernel.KernelError.NotFound with the nearest names if there is none
     */
    public fun device(name: String): HardwareDevice = DeviceNames.find(devices.value.values, name)

    /** Its NUMA nodes; null where there is one only. */
    public val topology: NumaTopology? by lazy { NumaTopology.of() }

    /** What the machine runs on; looks each time. */
    public suspend fun platform(): Platform = withContext(Dispatchers.IO) { detector.detect() }
}
