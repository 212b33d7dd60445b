package dev.arraywright.hardware

import dev.arraywright.hardware.device.BuiltInDrivers
import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.hardware.device.block.BlockSpecialDriver
import dev.arraywright.hardware.device.file.FileDriver
import dev.arraywright.hardware.device.guard.DeadlineTimer
import dev.arraywright.hardware.device.guard.SystemDeadlineTimer
import dev.arraywright.hardware.device.memory.MemoryDriver
import dev.arraywright.hardware.discovery.HardwareMonitor
import dev.arraywright.hardware.discovery.healthTargets
import dev.arraywright.hardware.discovery.real
import dev.arraywright.hardware.health.ArrayLatency
import dev.arraywright.hardware.health.HealthMonitor
import dev.arraywright.hardware.health.HealthThresholds
import dev.arraywright.hardware.health.probe.systemHealthProbes
import dev.arraywright.hardware.linux.OptionalPoller
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.hardware.memory.balloon.BalloonDriver
import dev.arraywright.hardware.memory.balloon.PoolClient
import dev.arraywright.hardware.memory.pressure.MemoryMonitor
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.nbd.client.NbdDriver
import dev.arraywright.hardware.platform.CapabilityRegistry
import dev.arraywright.hardware.platform.HypervisorDetector
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.map
import org.koin.core.module.Module
import org.koin.core.scope.Scope
import org.koin.dsl.module
import org.koin.dsl.onClose
import java.nio.file.Path
import kotlin.coroutines.CoroutineContext
import kotlin.time.Clock
import kotlin.time.TimeSource

/**
 * What `hardware` offers to a Koin application: the [BufferPool], the [DeadlineTimer] and the [DeviceOpener] with the
 * built-in drivers; and what watches the machine, each begun with the first `get` of it, in the application's
 * `CoroutineScope` and by its `Clock` where it has them. All are closed with the application; close the devices first.
 *
 * @param bufferBytes the pool's limit, a multiple of 4 KiB
 * @param histories a directory where the history of disks' health outlives the process; null to keep it in memory
 * @param memory when memory is short
 */
public fun hardwareModule(
    bufferBytes: Long = defaultBufferBytes(),
    histories: Path? = null,
    memory: MemoryOptions = MemoryOptions(),
): Module =
    module {
        single<BufferPool> { BufferPool(bufferBytes) } onClose { it?.close() }
        single<DeadlineTimer> { SystemDeadlineTimer() } onClose { (it as? AutoCloseable)?.close() }
        single<BuiltInDrivers> {
            BuiltInDrivers.of(FileDriver(), BlockSpecialDriver(), MemoryDriver(), NbdDriver())
        }
        single<DeviceOpener> { DeviceOpener(get(), get(), get()) } onClose { it?.close() }
        watchers(histories, memory)
    }

private fun Module.watchers(histories: Path?, memory: MemoryOptions) {
    single<OptionalPoller> { OptionalPoller() } onClose { it?.close() }
    single<HardwareMonitor> { HardwareMonitor.real(context(), get<OptionalPoller>().poller) } onClose { it?.close() }
    single<HypervisorDetector> { HypervisorDetector() }
    single<CapabilityRegistry> {
        CapabilityRegistry(context(), get<HardwareMonitor>().devices.map { })
    } onClose { it?.close() }
    single<HealthThresholds> { HealthThresholds() }
    single<ArrayLatency> { ArrayLatency() }
    single<HealthMonitor> {
        HealthMonitor(
            context(),
            get<HardwareMonitor>().devices.map { it.healthTargets() },
            systemHealthProbes(clock(), get<ArrayLatency>()::of),
            get<HealthThresholds>().policy,
            clock(),
            TimeSource.Monotonic,
            histories,
        )
    } onClose { it?.close() }
    single<MemoryMonitor> { MemoryMonitor(context(), memory, get<OptionalPoller>()) } onClose { it?.close() }
    single<BalloonDriver> {
        BalloonDriver(context(), get<MemoryMonitor>()).apply {
            registerPressureHandler("buffers", order = 0, handler = PoolClient(this@single.get()))
        }
    } onClose { it?.close() }
}

private fun Scope.context(): CoroutineContext = getOrNull<CoroutineScope>()?.coroutineContext ?: Dispatchers.Default

private fun Scope.clock(): Clock = getOrNull<Clock>() ?: Clock.System

/** A quarter of what the JVM may use for its heap, from 64 MiB to 1 GiB: direct memory is bounded by the same figure. */
private fun defaultBufferBytes(): Long =
    (Runtime.getRuntime().maxMemory() / 4).coerceIn(64L shl 20, 1L shl 30) and (BufferPool.PAGE - 1).inv()
