package dev.arraywright.admin.console

import dev.arraywright.admin.control.driver.DriverScene
import dev.arraywright.admin.control.driver.DriversView
import dev.arraywright.admin.control.driver.UpgradeView
import dev.arraywright.admin.control.driver.toView
import dev.arraywright.kernel.driver.DriverStatistics
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.RejectedJar
import dev.arraywright.kernel.driver.scan.ScanResult
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.nio.file.Path

class DriverTextSpec : StringSpec({
    val statistics = DriverStatistics(1, 1, 0, 0, 2, 3, 4711, 2, 7, 12_288)

    "drivers are shown in a table, and below it what is wrong with none of them" {
        val drivers = listOf(DriverScene.rejected, DriverScene.failed, DriverScene.running).map { it.toView() }
        DriverText.table(DriversView(drivers, statistics.copy(leaked = 2, stranded = 1).toView())) shouldBe """
            |  Driver   Version  State                Serves               Devices  Calls  Errors  Since
            |  bad.jar  -        rejected             -                    0        0      0       2026-11-28T00:00:00Z
            |  fabric   -        failed, quarantined  -                    0        0      0       2026-11-28T00:00:00Z
            |  overlay  1.2.0    running              overlay,block:nvme*  2        4711   2       2026-11-28T00:00:00Z
            |2 unloaded and yet in memory
            |1 that hang while they are loaded
        """.trimMargin()
        DriverText.table(DriversView(emptyList(), statistics.toView())) shouldBe "no driver is loaded"
    }

    "a driver is shown with all that is known of it" {
        DriverText.detail(DriverScene.running.toView()) shouldBe """
            |overlay 1.2.0:
            |        State : running since 2026-11-28T00:00:00Z
            |          Jar : /drivers/overlay.jar
            |  Description : Writes beside a read-only image
            |        Class : org.example.Overlay
            |       Serves : overlay, block:nvme*
            |     Platform : 0.1.0 or later
            |       Loaded : when it is asked for
            |     Requires : fabric ^1.2
            |      Setting : grain = 64KiB (size, default 64KiB): what is copied at once
            |      Setting : mode = safe (text, fast|safe, required): how
            |       Health : warning: the image is nearly full
            |         Load : 120 ms, 7 classes (12 KiB)
            |        Calls : 4711 on 3 opened devices, 2 errors
            |      Latency : 0.2 ms on average, 12.3 ms at most
            |         Open : overlay:a
            |         Open : overlay:b
            |         Note : it was compiled for an older spi
        """.trimMargin()
    }

    "what does not run is shown with the reason, and a leaked one with what holds it" {
        DriverText.detail(DriverScene.rejected.toView()) shouldBe """
            |bad.jar:
            |  State : rejected since 2026-11-28T00:00:00Z
            |    Why : it is no zip
            |    Jar : /drivers/bad.jar
        """.trimMargin()
        DriverText.detail(DriverScene.leaked.toView()).lines().slice(1..3) shouldBe listOf(
            "        State : leaked since 2026-11-28T00:00:00Z",
            "          Why : the driver overlay is in memory still; it is held by",
            "      Held by : thread: ticker",
        )
    }

    "a scan shows what there is, and then what is wrong" {
        val found = ScanResult(
            listOf(DriverCandidate(Path.of("/d/overlay.jar"), DriverScene.info, listOf("a class is missing"))),
            listOf(RejectedJar(Path.of("/d/bad.jar"), "is no zip")),
            listOf(Path.of("/d/lib.jar")),
        )
        DriverText.scan(found.toView()) shouldBe """
            |  Driver   Version  Serves               Class                Jar
            |  overlay  1.2.0    overlay,block:nvme*  org.example.Overlay  /d/overlay.jar
            |overlay: a class is missing
            |rejected: /d/bad.jar: it is no zip
            |no driver in /d/lib.jar
        """.trimMargin()
        DriverText.scan(ScanResult().toView()) shouldBe "there is no driver"
    }

    "an upgrade tells how many devices were moved, and the longest pause" {
        DriverText.upgraded(UpgradeView("overlay", "1.0.0", "1.1.0", 1, 12_340, 210_000, listOf("a note"))) shouldBe
            "overlay 1.0.0 -> 1.1.0: 1 device moved, longest pause 12.3 ms, 210.0 ms in all\na note"
        DriverText.upgraded(UpgradeView("overlay", null, "1.1.0", 2, 0, 0)) shouldBe
            "overlay ? -> 1.1.0: 2 devices moved, longest pause 0.0 ms, 0.0 ms in all"
    }
})
