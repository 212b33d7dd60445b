package dev.arraywright.kernel.driver.serve

import dev.arraywright.hardware.device.DeviceOpener
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.driver.StorageDriver
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Clock
import kotlin.time.TimeSource
import kotlin.time.toJavaInstant

/**
 * The drivers that come with Arraywright: they run as long as their opener does, have no jar, and nobody loads, unloads
 * or replaces them. From here on they are counted as others are. Thread-safe.
 */
internal class BuiltIns(opener: DeviceOpener, clock: Clock, time: TimeSource) {
    private val all: Map<String, MeteredDriver>

    init {
        val since = clock.now().toJavaInstant()
        val metered = mutableListOf<MeteredDriver>()
        opener.interpose { driver -> MeteredDriver(driver, DriverMeter(time), since).also { metered += it } }
        all = metered.associateBy { it.info.name }
    }

    val names: Set<String> get() = all.keys

    /** As they are now, in the order of their names. */
    val statuses: List<DriverStatus> get() = all.values.map { it.status }.sortedBy { it.name }

    operator fun get(name: String): DriverStatus? = all[name]?.status

    /** Refuses to do to a built-in driver what can be done to others only. */
    fun requireOther(name: String, verb: String) {
        if (name !in all) return
        throw KernelError.InUse(
            "cannot $verb the driver $name",
            "a driver of that name comes with Arraywright, and stays as long as it runs",
            "name one that was loaded from a jar, or is to be",
        )
    }
}

/** A built-in driver with what it is asked for counted; the driver's own life is its opener's. */
private class MeteredDriver(
    private val driver: Driver,
    private val meter: DriverMeter,
    private val since: Instant,
) : Driver {
    private val open = ConcurrentHashMap.newKeySet<MeteredDevice>()

    val info: DriverInfo = driver.javaClass.let {
        DriverInfo.of(it.getAnnotation(StorageDriver::class.java), it.name).copy(version = DriverVersion.PLATFORM)
    }

    val status: DriverStatus
        get() = DriverStatus(
            info.name,
            info,
            DriverState.Running,
            jar = null,
            since,
            devices = open.map { "${it.address}" }.sorted(),
            figures = meter.figures,
            health = driver.health(),
        )

    override fun open(address: StorageAddress, options: OpenOptions): BlockDevice {
        val device = try {
            driver.open(address, options)
        } catch (e: Throwable) {
            meter.failed()
            throw e
        }
        meter.opened()
        return MeteredDevice(address, device, meter, open::remove).also { open += it }
    }

    override fun initialize(context: DriverContext): Unit = error("${info.name} is its opener's to initialise")

    override fun close(): Unit = error("${info.name} is its opener's to close")
}
