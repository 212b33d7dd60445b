package dev.arraywright.hardware

import dev.arraywright.hardware.discovery.HardwareMonitor
import dev.arraywright.hardware.health.HealthMonitor
import dev.arraywright.hardware.memory.balloon.BalloonDriver
import dev.arraywright.hardware.platform.CapabilityRegistry
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.flow.first
import org.koin.dsl.koinApplication

class HardwareModuleSpec : StringSpec({
    "every watcher of the module begins with its first use, is one, and ends with the application" {
        val application = koinApplication { modules(hardwareModule(bufferBytes = 16L shl 20)) }
        val monitor = application.koin.get<HardwareMonitor>()
        application.koin.get<HardwareMonitor>() shouldBeSameInstanceAs monitor
        monitor.status.first { it.fullLooks > 0 }
        application.koin.get<CapabilityRegistry>().refresh()
        application.koin.get<HealthMonitor>()
        application.koin.get<BalloonDriver>()
        application.close()
        // Twice is fine.
        monitor.close()
    }
})
