package dev.arraywright.admin.console

import dev.arraywright.admin.control.driver.DriverScene
import dev.arraywright.admin.control.driver.DriversView
import dev.arraywright.admin.control.driver.FiguresView
import dev.arraywright.admin.control.driver.UpgradeView
import dev.arraywright.admin.control.driver.toView
import dev.arraywright.kernel.driver.DriverStatistics
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.RejectedJar
import dev.arraywright.kernel.driver.scan.ScanResult
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.nio.file.Path
import kotlin.random.Random

class DriverTextSpec : StringSpec({
    val statistics = DriverStatistics(1, 1, 0, 0, 2, 3, 4711, 2, 7, 12_288)

    "drivers are shown in a table, built-in ones last, and below it the jars that are none, and what is wrong" {
        val drivers = DriverScene.run { listOf(rejected, discovered, failed, builtIn, running) }.map { it.toView() }
        DriverText.table(DriversView(drivers, statistics.copy(leaked = 2, stranded = 1).toView())) shouldBe """
            |  Driver   Version  State                Serves               Devices  Calls  Errors  p50     p99
            |  fabric   -        failed, quarantined  -                    0        0      0       -       -
            |  overlay  1.2.0    running              overlay,block:nvme*  2        4711   2       120 us  9.9 ms
            |  cloud    1.2.0    discovered           overlay,block:nvme*  -        -      -       -       -
            |  memory   1.2.0    running, built in    memory               1        12     0       6 us    39 us
            |rejected: /drivers/bad.jar: it is no zip
            |2 unloaded and yet in memory
            |1 that hang while they are loaded
        """.trimMargin()
        DriverText.table(DriversView(emptyList(), statistics.toView())) shouldBe "no driver is loaded"
        DriverText.table(DriversView(listOf(DriverScene.rejected.toView()), statistics.toView())) shouldBe
            "no driver is loaded\nrejected: /drivers/bad.jar: it is no zip"
    }

    "a table is no wider than a line, however much drivers serve and do" {
        for (seed in 0..<200) {
            val random = Random(seed)
            val drivers = List(random.nextInt(1, 6)) { number ->
                val served = List(random.nextInt(30)) { "pci:v%08Xd%d*".format(random.nextInt(), it) }
                val view = listOf(
                    DriverScene.running,
                    DriverScene.builtIn,
                    DriverScene.discovered,
                ).random(random).toView()
                view.copy(
                    name = "d$number".padEnd(random.nextInt(2, 16), 'x'),
                    announced = view.announced!!.copy(supportedDevices = served),
                    figures = FiguresView(0, random.nextLong(1_000_000_000), 17, 1, 2, 3, random.nextLong(9_000_000)),
                )
            }
            val lines = DriverText.table(DriversView(drivers, statistics.toView())).lines()
            withClue(lines.joinToString("\n", "seed $seed:\n")) {
                (lines.maxOf { it.length } <= 120) shouldBe true
                lines.drop(1).map { it.trim().substringBefore(' ') }.sorted() shouldBe drivers.map { it.name }.sorted()
            }
        }
    }

    "a built-in driver is shown without what is about jars" {
        DriverText.detail(DriverScene.builtIn.toView()) shouldBe """
            |memory 1.2.0:
            |        State : running, built in since 2026-11-28T00:00:00Z
            |          Jar : none: it comes with Arraywright, and stays
            |  Description : Memory of this process
            |        Class : MemoryDriver
            |       Serves : memory
            |     Requires : fabric ^1.2
            |      Setting : grain (size, default 64KiB): what is copied at once
            |      Setting : mode (text, fast|safe, required): how
            |       Health : good
            |        Calls : 12 on 1 opened devices, 0 errors
            |      Latency : p50 6 us, p99 39 us, 7 us on average, 40 us at most
            |         Open : memory:1MiB#a
        """.trimMargin()
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
            |      Latency : p50 120 us, p99 9.9 ms, 150 us on average, 12.3 ms at most
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
        DriverText.detail(DriverScene.leaked.toView()).lines().slice(1..5) shouldBe listOf(
            "        State : leaked since 2026-11-28T00:00:00Z",
            "          Why : the driver overlay is in memory still; it is held by",
            "      Held by : thread: ticker",
            "     Not seen : the heap",
            "         Kept : 2 buffers (128 KiB)",
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
