package dev.arraywright.hardware.device

import dev.arraywright.spi.driver.Driver
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.memory.BufferAllocator

/** The drivers that come with the house, not yet started; a [DeviceOpener] gives them their life. */
public class BuiltInDrivers private constructor(internal val drivers: List<Driver>) {
    /** Starts all, handing each to [register] once it runs; if one fails, none is left running. */
    internal fun start(buffers: BufferAllocator, register: (Driver) -> Unit) {
        try {
            for (driver in drivers) {
                driver.initialize(BuiltInContext(buffers, System.getLogger(driver.javaClass.name)))
                driver.start()
                register(driver)
            }
        } catch (e: Throwable) {
            close()
            throw e
        }
    }

    internal fun close() {
        drivers.forEach(Driver::stop)
        drivers.forEach(Driver::close)
    }

    private class BuiltInContext(
        private val buffers: BufferAllocator,
        private val logger: System.Logger,
    ) : DriverContext {
        override fun settings(): Map<String, String> = emptyMap()

        override fun buffers(): BufferAllocator = buffers

        override fun logger(): System.Logger = logger
    }

    public companion object {
        /** Fresh drivers, none of them initialised. */
        public fun of(vararg drivers: Driver): BuiltInDrivers = BuiltInDrivers(drivers.toList())
    }
}
