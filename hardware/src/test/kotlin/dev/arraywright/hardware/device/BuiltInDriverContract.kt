package dev.arraywright.hardware.device

import dev.arraywright.spi.testing.DriverContract

/** Built-in drivers are the application's own: never loaded, replaced or unloaded while it runs. */
abstract class BuiltInDriverContract : DriverContract() {
    override fun loadedAtRunTime(): Boolean = false
}
