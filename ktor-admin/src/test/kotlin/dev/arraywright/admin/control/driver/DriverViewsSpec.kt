package dev.arraywright.admin.control.driver

import dev.arraywright.admin.control.RemoteCalls
import dev.arraywright.admin.control.json
import dev.arraywright.kernel.driver.DriverStatistics
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.RejectedJar
import dev.arraywright.kernel.driver.scan.ScanResult
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.contentOrNull
import kotlinx.serialization.json.encodeToJsonElement
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.nio.file.Path
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

class DriverViewsSpec : StringSpec({
    "what goes over the wire is read back as it was" {
        val all = DriversView(
            DriverScene.run { listOf(running, failed, rejected, leaked, builtIn, discovered) }.map { it.toView() },
            DriverStatistics(1, 2, 3, 4, 5, 6, 7, 8, 9, 10).toView(),
        )
        RemoteCalls.json.decodeFromString<DriversView>(json.encodeToString(all)) shouldBe all
        val upgrade = UpgradeReport(
            3,
            12.milliseconds,
            200.milliseconds,
            listOf("a note"),
        ).toView("overlay", "1.0.0", null)
        RemoteCalls.json.decodeFromString<UpgradeView>(json.encodeToString(upgrade)) shouldBe upgrade
        val load = LoadRequest("/d.jar", "org.example.D", mapOf("a" to "b"))
        RemoteCalls.json.decodeFromString<LoadRequest>(json.encodeToString(load)) shouldBe load
        val scan = ScanResult(
            listOf(DriverCandidate(Path.of("/d.jar"), DriverScene.info, listOf("a note"))),
            listOf(RejectedJar(Path.of("/b.jar"), "is no zip")),
            listOf(Path.of("/l.jar")),
        ).toView()
        RemoteCalls.json.decodeFromString<ScanView>(json.encodeToString(scan)) shouldBe scan
    }

    "a state is a word, and its reason stands beside it" {
        DriverScene.running.toView().run {
            state shouldBe "running"
            detail shouldBe null
            figures shouldBe FiguresView(3, 4711, 2, 150, 12_345, 120, 9_870)
            builtIn shouldBe false
            jar shouldBe "/drivers/overlay.jar"
            health shouldBe "warning"
            loadMillis shouldBe 120
            announced?.requires shouldBe listOf("fabric ^1.2")
            announced?.settings?.first() shouldBe SettingView("grain", "what is copied at once", "size", "64KiB")
        }
        DriverScene.failed.toView().run { Triple(state, detail, quarantined) } shouldBe
            Triple("failed", "its start() hangs", true)
        DriverScene.rejected.toView().run { state to detail } shouldBe ("rejected" to "it is no zip")
        DriverScene.leaked.toView().detail?.lines()?.get(1) shouldBe "  thread: ticker"
        DriverScene.builtIn.toView().run {
            Triple(state, builtIn, jar) shouldBe Triple("running", true, null)
            with(json.encodeToJsonElement(this).jsonObject) {
                getValue("builtIn").jsonPrimitive.boolean shouldBe true
                get("jar")?.jsonPrimitive?.contentOrNull shouldBe null
            }
        }
        UpgradeReport(
            1,
            1500.microseconds,
            2.milliseconds,
        ).toView("d", "1.0.0", "2.0.0").longestPauseMicros shouldBe 1500
    }
})
