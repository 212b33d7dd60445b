package dev.arraywright.admin.control.driver

import dev.arraywright.kernel.driver.DeclaredSetting
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.serve.CallFigures
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.driver.DriverSetting
import java.nio.file.Path
import java.time.Instant
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

/** Drivers for specs. */
internal object DriverScene {
    val since: Instant = Instant.parse("2026-11-28T00:00:00Z")

    val info = DriverInfo(
        "overlay",
        "Writes beside a read-only image",
        DriverVersion.parse("1.2.0"),
        listOf("overlay", "block:nvme*"),
        DriverVersion.parse("0.1.0"),
        autoLoad = false,
        "org.example.Overlay",
        listOf(DriverRequirement.parse("fabric ^1.2")),
        listOf(
            DeclaredSetting("grain", "what is copied at once", DriverSetting.Type.SIZE, "64KiB"),
            DeclaredSetting("mode", "how", required = true, choices = listOf("fast", "safe")),
        ),
    )

    val running = DriverStatus(
        "overlay",
        info,
        DriverState.Running,
        Path.of("/drivers/overlay.jar"),
        since,
        mapOf("grain" to "64KiB", "mode" to "safe"),
        listOf("it was compiled for an older spi"),
        120.milliseconds,
        listOf("overlay:a", "overlay:b"),
        CallFigures(3, 4711, 2, 150.microseconds, 12_345.microseconds, 120.microseconds, 9_870.microseconds),
        DeviceHealth(DeviceHealth.Status.WARNING, "the image is nearly full"),
        7,
        12_288,
    )

    val failed = DriverStatus("fabric", null, DriverState.Failed("its start() hangs", true), Path.of("/f.jar"), since)

    val rejected = DriverStatus("bad.jar", null, DriverState.Rejected("is no zip"), Path.of("/drivers/bad.jar"), since)

    val builtIn = DriverStatus(
        "memory",
        info.copy("memory", "Memory of this process", supportedDevices = listOf("memory"), entryType = "MemoryDriver"),
        DriverState.Running,
        null,
        since,
        devices = listOf("memory:1MiB#a"),
        figures = CallFigures(1, 12, 0, 7.microseconds, 40.microseconds, 6.microseconds, 39.microseconds),
        health = DeviceHealth.GOOD,
    )

    val discovered = DriverStatus("cloud", info.copy("cloud"), DriverState.Discovered, Path.of("/drivers/c.jar"), since)

    val leaked = running.copy(
        state = DriverState.Leaked(
            "the driver overlay is in memory still; it is held by\n  thread: ticker\n" +
                "  not looked at: the heap\n  kept out of use: 2 buffers (128 KiB)",
        ),
        devices = emptyList(),
    )
}
