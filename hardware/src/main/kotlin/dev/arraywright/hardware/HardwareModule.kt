package dev.arraywright.hardware

import dev.arraywright.hardware.device.BuiltInDrivers
import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.hardware.device.block.BlockSpecialDriver
import dev.arraywright.hardware.device.file.FileDriver
import dev.arraywright.hardware.device.guard.DeadlineTimer
import dev.arraywright.hardware.device.guard.SystemDeadlineTimer
import dev.arraywright.hardware.device.memory.MemoryDriver
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.hardware.nbd.client.NbdDriver
import org.koin.core.module.Module
import org.koin.dsl.module
import org.koin.dsl.onClose

/**
 * What `hardware` offers to a Koin application: the [BufferPool], the [DeadlineTimer] and the [DeviceOpener] with the
 * built-in drivers. They are closed with the application; close the devices first.
 *
 * @param bufferBytes the pool's limit, a multiple of 4 KiB
 */
public fun hardwareModule(bufferBytes: Long = defaultBufferBytes()): Module =
    module {
        single<BufferPool> { BufferPool(bufferBytes) } onClose { it?.close() }
        single<DeadlineTimer> { SystemDeadlineTimer() } onClose { (it as? AutoCloseable)?.close() }
        single<BuiltInDrivers> {
            BuiltInDrivers.of(FileDriver(), BlockSpecialDriver(), MemoryDriver(), NbdDriver())
        }
        single<DeviceOpener> { DeviceOpener(get(), get(), get()) } onClose { it?.close() }
    }

/** A quarter of what the JVM may use for its heap, from 64 MiB to 1 GiB: direct memory is bounded by the same figure. */
private fun defaultBufferBytes(): Long =
    (Runtime.getRuntime().maxMemory() / 4).coerceIn(64L shl 20, 1L shl 30) and (BufferPool.PAGE - 1).inv()
