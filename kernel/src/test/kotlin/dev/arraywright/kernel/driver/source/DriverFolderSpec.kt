package dev.arraywright.kernel.driver.source

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.DriverOptions
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.ramDriver
import dev.arraywright.kernel.driver.scan.DriverScanner
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.until
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.maps.shouldContainKey
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteExisting
import kotlin.io.path.div
import kotlin.io.path.moveTo
import kotlin.io.path.writeText
import kotlin.time.Clock
import kotlin.time.Duration.Companion.seconds

/** Real jars that come to a directory and go, under a real kernel. */
class DriverFolderSpec : StringSpec({
    class Place(val kernel: ArraywrightKernel, val folder: Path, val elsewhere: Path) {
        suspend fun until(condition: (Map<String, DriverStatus>) -> Boolean) =
            withTimeout(60.seconds) { kernel.drivers.drivers.first(condition) }

        fun put(name: String, version: String = "1.0.0", annotation: String = ", autoLoad = true") {
            ramDriver(
                elsewhere,
                name,
                version,
                annotation,
            ).moveTo(folder / "$name.jar", StandardCopyOption.REPLACE_EXISTING)
        }

        fun state(name: String) = kernel.drivers.status(name)?.state
    }

    suspend fun place(block: suspend Place.() -> Unit) {
        val root = tempdir().toPath()
        val folder = (root / "drivers").createDirectory()
        ArraywrightKernel.start(KernelOptions(watch = false, drivers = DriverOptions(folder))).use {
            Place(it, folder, root).block()
        }
    }

    "a jar that comes is loaded, one that goes is unloaded when nothing uses it, and one that changes is upgraded" {
        place {
            put("ram")
            put("manual", annotation = ", autoLoad = false")
            until { it["ram"]?.state == DriverState.Running }
            until { "manual" in it }.getValue("manual").state shouldBe DriverState.Discovered
            kernel.createArray(
                ArraySpec("vault", RaidLevel.RAID1, listOf("ram:a", "ram:b"), assumeClean = true),
            )
            (folder / "ram.jar").deleteExisting()
            kernel.until(Topic.DRIVER_UNLOAD_FAILED)
            state("ram") shouldBe DriverState.Running
            kernel.stopArray("vault")
            until { "ram" !in it || it.getValue("ram").state == DriverState.Unloading }

            put("ram", "1.1.0")
            until { it["ram"]?.state == DriverState.Running }.getValue("ram").info?.version.toString() shouldBe "1.1.0"
            put("ram", "1.2.0")
            kernel.until(Topic.DRIVER_UPGRADED)
            kernel.drivers.status("ram")?.info?.version.toString() shouldBe "1.2.0"
        }
    }

    "a jar that is none is told, and the rest of the directory goes on" {
        place {
            (folder / "bad.jar").writeText("no zip")
            DriverJar().source("org.example.Odd", driverSource("org.example.Odd").replace("1.0.0", "one"))
                .writeTo(folder / "odd.jar")
            put("ram")
            until { it["ram"]?.state == DriverState.Running }
            val event = kernel.until(Topic.DRIVER_LOAD_FAILED).last().occurrence as DriverLoadFailed
            event.jar shouldBe (folder / "odd.jar").toString()
            event.cause shouldContain "'one'"
            kernel.drivers.drivers.value shouldContainKey "odd.jar"
        }
    }

    "one that needs another is loaded whichever comes first" {
        place {
            put("needy", annotation = """, autoLoad = true, requires = "base ^1"""")
            kernel.until(Topic.DRIVER_LOAD_FAILED)
            put("base")
            until { it["needy"]?.state == DriverState.Running }.getValue("base").state shouldBe DriverState.Running
            (folder / "base.jar").deleteExisting()
            (folder / "needy.jar").deleteExisting()
            until { all -> all.values.none { it.state == DriverState.Running } }
        }
    }

    "drivers that need each other's new versions are upgraded together, whichever jar comes first" {
        place {
            fun base(version: String, more: String = "") = put("base", version, ", autoLoad = true$more")

            fun over(version: String, base: String) = put("over", version, """, requires = "base ^$base"""")

            suspend fun both(version: String) = until { all ->
                listOf("base", "over").all {
                    all[it]?.state == DriverState.Running && "${all[it]?.info?.version}" == version
                }
            }
            base("1.0.0")
            over("1.0.0", "1")
            both("1.0.0")
            kernel.createArray(ArraySpec("vault", RaidLevel.RAID1, listOf("base:a", "over:b"), assumeClean = true))
            base("2.0.0")
            kernel.until(Topic.DRIVER_LOAD_FAILED).last().occurrence.cause shouldBe "over 1.0.0 requires base ^1"
            over("2.0.0", "2")
            both("2.0.0")

            suspend fun refused(why: String) {
                var from = 1L
                do {
                    val event = kernel.until(Topic.DRIVER_LOAD_FAILED, from = from).last()
                    from = event.sequence + 1
                } while (event.occurrence.cause != why)
            }
            over("3.0.0", "3")
            refused("it requires base ^3, and base is 2.0.0")
            base("3.0.0", """, requires = "codec"""")
            refused("it requires codec, and no driver codec is there")
            put("codec")
            both("3.0.0")
            kernel.drivers.status("base")!!.devices shouldBe listOf("base:a")
            kernel.drivers.status("over")!!.devices shouldBe listOf("over:b")
        }
    }

    "what an operator unloads stays unloaded until its jar changes" {
        place {
            put("ram")
            until { it["ram"]?.state == DriverState.Running }
            kernel.drivers.unload("ram")
            put("other")
            until { it["other"]?.state == DriverState.Running }
            (state("ram") == DriverState.Running) shouldBe false
            put("ram", "1.1.0")
            until { it["ram"]?.state == DriverState.Running }
        }
    }

    "a configuration is applied when the drivers of its members run, with their settings" {
        val root = tempdir().toPath()
        val folder = (root / "drivers").createDirectory()
        val keep = (root / "keep").createDirectory()
        ramDriver(folder, annotation = ", autoLoad = true")
        val configuration = Configuration.parse(
            """{ "driverDirectory": "$folder", "drivers": { "ram": { "settings": { "keep": "$keep" } } },
                 "arrays": [ { "name": "vault", "level": "raid1", "members": ["ram:a", "ram:b"] } ] }""",
            "here",
        )
        repeat(2) {
            val options = configuration.applyTo(KernelOptions()).copy(watch = false)
            ArraywrightKernel.start(options).use { kernel ->
                kernel.apply(configuration).shouldBeEmpty()
                kernel.arrays.value shouldContainKey "vault"
                kernel.drivers.status("ram")?.settings shouldBe mapOf("keep" to "$keep")
            }
        }
    }

    "a device that is plugged in has its driver loaded, the best there is, and takes it with it when it goes" {
        val root = tempdir().toPath()
        val folder = (root / "drivers").createDirectory()

        fun disk(name: String, incarnation: Long = 1) = HardwareDevice(
            DeviceId(DeviceId.Kind.SERIAL, name),
            name,
            setOf(DeviceFlag.BLOCK, DeviceFlag.NVME_NAMESPACE),
            sysPath = "devices/$name",
            incarnation = incarnation,
        ).let { it.id to it }
        ArraywrightKernel.start(KernelOptions(watch = false)).use { kernel ->
            val scope = CoroutineScope(Job() + Dispatchers.Default)
            val devices = MutableStateFlow<Map<DeviceId, HardwareDevice>?>(null)
            val place = Place(kernel, folder, root)
            val events = EventStream(Clock.System)
            val watching = DriverFolder(
                folder,
                scope,
                kernel.drivers,
                DriverScanner(),
                devices,
                events,
                Dispatchers.IO,
                root,
            )
            try {
                fun serve(name: String, pattern: String) {
                    val type = "org.example.${name.replaceFirstChar(Char::uppercase)}"
                    val announced = """supportedDevices = {"$name", "$pattern"}, autoLoad = false"""
                    DriverJar().source(
                        type,
                        driverSource(type, name, annotation = announced),
                    ).writeTo(folder / "$name.jar")
                }
                serve("coarse", "block:*")
                serve("fine", "nvme-namespace:nvme*")
                watching.settled()
                place.until { it.keys.containsAll(setOf("coarse", "fine")) }
                devices.value = mapOf(disk("nvme0n1"))
                place.until { it["fine"]?.state == DriverState.Running }.getValue("coarse").state shouldBe
                    DriverState.Discovered
                devices.value = mapOf(disk("nvme0n1"), disk("sda"))
                place.until { it["coarse"]?.state == DriverState.Running }
                devices.value = mapOf(disk("sda"))
                place.until { it["fine"]?.state?.let { state -> state != DriverState.Running } ?: true }
                place.state("coarse") shouldBe DriverState.Running
                // An operator's word holds for as long as the device is there.
                kernel.drivers.unload("coarse")
                devices.value = mapOf(disk("sda"), disk("nvme0n1", 2))
                place.until { it["fine"]?.state == DriverState.Running }
                (place.state("coarse") == DriverState.Running) shouldBe false
            } finally {
                watching.end(10.seconds) shouldBe true
                scope.cancel()
            }
        }
    }
})
