package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.kernelModules
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update
import org.koin.dsl.koinApplication
import org.koin.dsl.module

/** A machine whose devices come and go as the spec says; what is behind their paths is another matter. */
internal class FakeSight : Sight {
    override val devices = MutableStateFlow<Map<DeviceId, HardwareDevice>?>(emptyMap())
    val warnings = mutableMapOf<DeviceId, String>()
    private var plugged = 0L

    override fun warning(disk: HardwareDevice): String? = warnings[disk.id]

    fun plug(path: String, size: Long = 1L shl 24, of: HardwareDevice? = null) {
        val id = DeviceId(DeviceId.Kind.SERIAL, path.substringAfterLast('/'))
        val device = HardwareDevice(
            id,
            id.value,
            setOf(DeviceFlag.BLOCK, if (of == null) DeviceFlag.NVME_NAMESPACE else DeviceFlag.PARTITION),
            path,
            size = size,
            parent = of?.id,
            incarnation = ++plugged,
        )
        devices.update { it.orEmpty() + (id to device) }
    }

    fun at(path: String): HardwareDevice = devices.value!!.values.first { it.path == path }

    fun unplug(path: String) {
        devices.update { all -> all.orEmpty().filterValues { it.path != path } }
    }

    /** A kernel that sees this machine. */
    fun kernel(): Seeing {
        val application = koinApplication {
            allowOverride(true)
            modules(kernelModules(KernelOptions(watch = false)) + module { single<Sight> { this@FakeSight } })
        }
        return Seeing(application.koin.get()) { application.close() }
    }
}

internal class Seeing(val kernel: ArraywrightKernel, private val end: () -> Unit) : AutoCloseable {
    override fun close() = end()
}
