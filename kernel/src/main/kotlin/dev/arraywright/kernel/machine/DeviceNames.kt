package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.distance
import java.io.IOException
import java.nio.file.InvalidPathException
import java.nio.file.Path

/** Devices by what people call them. */
internal object DeviceNames {
    /** One at the given path wins over one with the name, for a name is the kernel's whim. */
    fun find(devices: Collection<HardwareDevice>, word: String): HardwareDevice {
        val name = word.removePrefix("block:")
        val path = if (name.startsWith("/")) real(name) else null
        return devices.firstOrNull { it.id.toString() == name }
            ?: devices.firstOrNull { path != null && it.path == path }
            ?: devices.firstOrNull { it.name == name }
            ?: devices.firstOrNull { it.serial == name || it.wwid == name }
            ?: throw KernelError.NotFound(
                "there is no device $word",
                near(devices, name),
                "see what there is: arraywright hardware list --all",
            )
    }

    private fun near(devices: Collection<HardwareDevice>, name: String): String {
        val last = name.substringAfterLast('/')
        val most = maxOf(1, last.length / 3)
        val near = devices.map { it to distance(last, it.name) }.filter { (_, far) -> far <= most }
            .sortedWith(compareBy({ it.second }, { it.first.name })).take(FEW)
        if (near.isNotEmpty()) return "near are " + near.joinToString { (device, _) -> device.path ?: device.name }
        val disks = devices.filter { it.isDisk }.map { it.path ?: it.name }.sorted()
        return when {
            disks.isEmpty() -> "there is no disk"
            disks.size > MANY -> "disks are ${disks.take(MANY).joinToString()} and ${disks.size - MANY} more"
            else -> "disks are ${disks.joinToString()}"
        }
    }

    private fun real(path: String): String =
        try {
            Path.of(path).toRealPath().toString()
        } catch (_: IOException) {
            path
        } catch (_: InvalidPathException) {
            path
        }

    private const val FEW = 3
    private const val MANY = 8
}
