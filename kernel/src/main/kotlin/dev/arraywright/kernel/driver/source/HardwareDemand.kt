package dev.arraywright.kernel.driver.source

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.lifecycle.DriverState
import java.io.IOException
import java.nio.file.Path
import kotlin.io.path.div
import kotlin.io.path.readText

/**
 * Decides which drivers the devices of the machine ask for, and which are not asked for any more. A device has one try
 * with each driver, so what an operator unloads stays so until another such device is plugged in. Not thread-safe.
 */
internal class HardwareDemand {
    private data class Try(val device: DeviceId, val incarnation: Long, val offer: Offer)

    private val tried = mutableSetOf<Try>()
    private val loaded = mutableSetOf<String>()

    /** What [devices], each with its facts, ask for of [offers], and what was loaded here and is of no use now. */
    fun next(
        devices: Map<HardwareDevice, List<HardwareFacts>>,
        offers: List<Offer>,
        drivers: Map<String, DriverStatus>,
    ): List<FolderAction> {
        tried.removeIf { old -> devices.keys.none { it.id == old.device && it.incarnation == old.incarnation } }
        return wanted(devices, offers, drivers) + idle(devices, drivers)
    }

    private fun wanted(
        devices: Map<HardwareDevice, List<HardwareFacts>>,
        offers: List<Offer>,
        drivers: Map<String, DriverStatus>,
    ): List<FolderAction> {
        val chosen = LinkedHashMap<String, Offer>()
        for ((device, facts) in devices) {
            val served = drivers.values.any { status ->
                status.isLoaded && status.state !is DriverState.Failed &&
                    status.info?.let { HardwareMatch.fits(facts, it) } == true
            }
            if (served || chosen.values.any { HardwareMatch.fits(facts, it.candidate.info) }) continue
            val free = offers.filter { offer ->
                drivers[offer.name]?.isLoaded != true && Try(device.id, device.incarnation, offer) !in tried
            }
            val best = HardwareMatch.ranked(facts, free.map { it.candidate }).firstOrNull() ?: continue
            chosen.putIfAbsent(best.info.name, free.first { it.candidate == best })
        }
        for (offer in chosen.values) {
            devices.filterValues { HardwareMatch.fits(it, offer.candidate.info) }.keys.forEach {
                tried += Try(it.id, it.incarnation, offer)
            }
            loaded += offer.name
        }
        return chosen.values.map { FolderAction.Load(it.candidate) }
    }

    /** An operator's own choice, and what loads by itself, is none of this. */
    private fun idle(
        devices: Map<HardwareDevice, List<HardwareFacts>>,
        drivers: Map<String, DriverStatus>,
    ): List<FolderAction> {
        val now = loaded.associateWith { drivers[it] }
        val idle = now.filterValues { status ->
            val info = status?.info
            info != null && status.isLoaded && status.devices.isEmpty() &&
                devices.values.none { HardwareMatch.fits(it, info) }
        }.keys
        loaded -= idle
        return idle.map { FolderAction.Unload(it) }
    }
}

/** What there is to compare a driver's patterns with; [sys] has the kernel's modaliases. Blocks. */
internal fun facts(device: HardwareDevice, sys: Path): List<HardwareFacts> {
    val modalias = MODALIASES.firstNotNullOfOrNull { place ->
        try {
            (sys / device.sysPath.removePrefix("/") / place).readText().trim().ifEmpty { null }
        } catch (_: IOException) {
            null
        }
    }
    return device.flags.sorted().map {
        HardwareFacts(it.name.lowercase().replace('_', '-'), device.name, modalias.orEmpty())
    }
}

/** Its own, or that of what it is a part of: of a disk's bus device, of a namespace's controller's function. */
private val MODALIASES = listOf("modalias", "device/modalias", "device/device/modalias")
