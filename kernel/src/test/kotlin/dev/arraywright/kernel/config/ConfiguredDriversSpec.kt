package dev.arraywright.kernel.config

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.DriverOptions
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.ramDriver
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.div

/** Drivers that the configuration names with their jars, from real ones. */
class ConfiguredDriversSpec : StringSpec({
    fun folder(): Path = tempdir().toPath()

    suspend fun kernel(
        options: DriverOptions = DriverOptions(),
        block: suspend ArraywrightKernel.() -> Unit,
    ) = ArraywrightKernel.start(KernelOptions(drivers = options, watch = false)).use { it.block() }

    fun driver(jar: Path, keep: Path? = null, type: String? = null) =
        DriverConfiguration(keep?.let { mapOf("keep" to "$it") }.orEmpty(), "$jar", type)

    fun configured(vararg drivers: Pair<String, DriverConfiguration>) = Configuration(drivers = mapOf(*drivers))

    fun ArraywrightKernel.version(name: String) =
        drivers.status(name)?.takeIf { it.state == DriverState.Running }?.info?.version?.toString()

    fun plain(folder: Path, name: String, version: String, requires: String = ""): Path {
        val type = "org.example.${name.replaceFirstChar(Char::uppercase)}"
        val needs = if (requires.isEmpty()) "" else """, requires = "$requires" """
        val source = driverSource(type, name, version, """supportedDevices = "$name" $needs""")
        return DriverJar().source(type, source).writeTo(folder / "$name-$version.jar")
    }

    "a driver is loaded before the arrays that are over it" {
        val folder = folder()
        val keep = (folder / "keep").createDirectory()
        val array = ArrayConfiguration("vault", List(2) { "ram:m$it" }, level = "raid1")
        val all = configured("ram" to driver(ramDriver(folder), keep)).copy(arrays = listOf(array))
        repeat(2) {
            kernel {
                apply(all).shouldBeEmpty()
                arrays.value.keys shouldBe setOf("vault")
                drivers.status("ram")!!.devices.sorted() shouldBe array.members
            }
        }
    }

    "drivers are loaded after those that they require, whatever their names are" {
        val folder = folder()
        kernel {
            val all = configured(
                "above" to driver(plain(folder, "above", "1.0.0", "base ^1.0")),
                "base" to driver(plain(folder, "base", "1.0.0")),
            )
            apply(all).shouldBeEmpty()
            version("above") shouldBe "1.0.0"
        }
    }

    "what cannot be loaded is a failure of its own, and the rest goes on" {
        val folder = folder()
        val jar = ramDriver(folder)
        kernel {
            val failures = apply(
                configured(
                    "absent" to driver(folder / "absent.jar"),
                    "disk" to driver(jar),
                    "rom" to driver(jar, type = "org.example.Ram"),
                    "file" to driver(plain(folder, "file", "1.0.0")),
                    "ram" to driver(jar),
                ),
            )
            failures.map { it.what } shouldBe listOf(
                "cannot load a driver of absent.jar",
                "cannot load a driver of ram-1.0.0.jar",
                "cannot load a driver of ram-1.0.0.jar",
                "cannot load the driver file",
            )
            failures[1].why shouldBe "it has no disk; it has ram (org.example.Ram)"
            failures[2].why shouldBe "it has no rom (org.example.Ram); it has ram (org.example.Ram)"
            version("ram") shouldBe "1.0.0"
        }
    }

    "of a jar with several drivers the one that is named is loaded" {
        val folder = folder()
        val jar = DriverJar().source("org.example.A", driverSource("org.example.A"))
            .source("org.example.B", driverSource("org.example.B")).writeTo(folder / "both.jar")
        kernel {
            val all = configured("b" to driver(jar, type = "org.example.B"))
            apply(all).shouldBeEmpty()
            drivers.drivers.value.keys shouldBe setOf("b")
            val failure = reconfigure(all, configured("b" to driver(jar, type = "org.example.A"))).failures.single()
            failure.why shouldBe "it has no b (org.example.A); it has a (org.example.A), b (org.example.B)"
            version("b") shouldBe "1.0.0"
        }
    }

    "what the drivers' directory has loaded is left alone" {
        val folder = folder()
        val directory = (folder / "drivers").createDirectory()
        ramDriver(directory, version = "2.0.0")
        kernel(DriverOptions(directory)) {
            apply(configured("ram" to driver(ramDriver(folder)))).shouldBeEmpty()
            version("ram") shouldBe "2.0.0"
        }
    }

    "an edit loads a jar that is new, upgrades to one that is another, and lets go of none" {
        val folder = folder()
        val keep = (folder / "keep").createDirectory()
        val array = ArrayConfiguration("vault", List(2) { "ram:m$it" }, level = "raid1")
        val none = Configuration()
        val first = configured("ram" to driver(ramDriver(folder), keep)).copy(arrays = listOf(array))
        val second = first.copy(drivers = mapOf("ram" to driver(ramDriver(folder, version = "1.1.0"), keep)))
        kernel {
            reconfigure(none, first) shouldBe Reconfiguration()
            arrays.value.keys shouldBe setOf("vault")
            version("ram") shouldBe "1.0.0"
            reconfigure(first, second) shouldBe Reconfiguration()
            version("ram") shouldBe "1.1.0"
            drivers.status("ram")!!.devices.sorted() shouldBe array.members

            val gone = second.copy(drivers = emptyMap())
            reconfigure(second, gone) shouldBe Reconfiguration(
                notes = listOf(
                    "the jar of the driver ram is not configured any more, and it stays: " +
                        "arraywright driver unload ram ends it",
                ),
            )
            // With what was configured of it: its devices are there.
            drivers.status("ram")!!.settings shouldBe mapOf("keep" to "$keep")
            val more = gone.copy(drivers = mapOf("other" to driver(plain(folder, "other", "1.0.0"))))
            reconfigure(gone, more) shouldBe Reconfiguration()
            drivers.status("ram")!!.settings shouldBe mapOf("keep" to "$keep")
        }
    }

    "an edit upgrades drivers together that need each other, beside one that comes and one that fails" {
        val folder = folder()
        val broken = """@Override public void start() { throw new IllegalStateException("no fabric here"); }"""

        fun jars(version: String) = arrayOf(
            "above" to driver(plain(folder, "above", "$version.0", "base ^$version")),
            "base" to driver(plain(folder, "base", "$version.0")),
        )
        val first = configured(*jars("1.0"), "ram" to driver(ramDriver(folder)))
        val second = configured(
            *jars("2.0"),
            "atop" to driver(plain(folder, "atop", "1.0.0", "above ^2.0")),
            "ram" to driver(ramDriver(folder, version = "2.0.0", body = broken)),
        )
        kernel {
            apply(first).shouldBeEmpty()
            val outcome = reconfigure(first, second)
            outcome.failures.single().why shouldContain "no fabric here"
            listOf("above", "base", "atop", "ram").map { version(it) } shouldBe
                listOf("2.0.0", "2.0.0", "1.0.0", "1.0.0")
        }
    }

    "an upgrade takes the settings of the same edit, which the version before does not know" {
        val folder = folder()

        fun jar(version: String, setting: String) = DriverJar().source(
            "org.example.Tuned",
            driverSource(
                "org.example.Tuned",
                "tuned",
                version,
                """supportedDevices = "tuned",
                   settings = @DriverSetting(name = "$setting", description = "how fast", required = true)""",
            ),
        ).writeTo(folder / "tuned-$version.jar")
        val first = configured("tuned" to DriverConfiguration(mapOf("speed" to "1"), "${jar("1.0.0", "speed")}"))
        val second = configured("tuned" to DriverConfiguration(mapOf("pace" to "2"), "${jar("1.1.0", "pace")}"))
        kernel {
            apply(first).shouldBeEmpty()
            reconfigure(first, second) shouldBe Reconfiguration()
            drivers.status("tuned")!!.settings shouldBe mapOf("pace" to "2")
            shouldThrow<KernelError.BadConfiguration> {
                reconfigure(second, second.copy(drivers = mapOf("tuned" to driver(folder / "tuned-1.1.0.jar"))))
            }.why shouldContain "required and absent: pace"
            // Without its jar it is left as it is, and not refused.
            reconfigure(second, Configuration()).notes.single() shouldContain "and it stays"
            drivers.status("tuned")!!.settings shouldBe mapOf("pace" to "2")
        }
    }

    "one that could not be loaded is tried again once what is configured of it is otherwise, and only then" {
        val folder = folder()
        val picky = """@Override public void initialize(DriverContext context) throws DriverException {
            if (!context.settings().containsKey("keep"))
              throw new DriverException(DriverException.Reason.FAILED, "it keeps nothing", "");
        }"""
        val jar = DriverJar().source(
            "org.example.Picky",
            driverSource(
                "org.example.Picky",
                annotation = """supportedDevices = "picky",
                    settings = @DriverSetting(name = "keep", description = "a directory")""",
                body = picky,
            ),
        ).writeTo(folder / "picky.jar")
        val first = configured("picky" to driver(jar), "late" to driver(folder / "late-1.0.0.jar"))
        kernel {
            apply(first).map { it.what.substringBefore(" of ") }.sorted() shouldBe
                listOf("cannot load a driver", "cannot load the driver picky")
            drivers.status("picky")!!.state.shouldBeInstanceOf<DriverState.Failed>()
            plain(folder, "late", "1.0.0")
            val second = first.copy(drivers = first.drivers + ("picky" to driver(jar, folder)))
            reconfigure(first, second) shouldBe Reconfiguration()
            version("picky") shouldBe "1.0.0"
            version("late") shouldBe null
        }
    }

    "an edit of a setting replaces what was given with the load, and one of another setting does not" {
        val folder = folder()
        val options = DriverOptions(configured = mapOf("tuned" to DriverConfiguration(mapOf("speed" to "1"))))

        fun tuned(vararg settings: Pair<String, String>) = configured("tuned" to DriverConfiguration(mapOf(*settings)))
        val jar = DriverJar().source(
            "org.example.Tuned",
            driverSource(
                "org.example.Tuned",
                annotation = """supportedDevices = "tuned", settings = {
                    @DriverSetting(name = "speed", description = "how fast", type = DriverSetting.Type.INTEGER),
                    @DriverSetting(name = "grain", description = "how fine", type = DriverSetting.Type.INTEGER) }""",
            ),
        ).writeTo(folder / "tuned.jar")
        kernel(options) {
            val (first, second) = listOf(tuned("speed" to "1"), tuned("speed" to "1", "grain" to "5"))
            drivers.load(jar, settings = mapOf("speed" to "7"))
            apply(first).shouldBeEmpty()
            drivers.status("tuned")!!.settings shouldBe mapOf("speed" to "7")
            reconfigure(first, second) shouldBe Reconfiguration()
            drivers.status("tuned")!!.settings shouldBe mapOf("speed" to "7", "grain" to "5")
            // The check beforehand is of what would count.
            shouldThrow<KernelError.BadConfiguration> {
                reconfigure(second, tuned("speed" to "much", "grain" to "5"))
            }.why shouldContain "is not a whole number"
            drivers.status("tuned")!!.settings shouldBe mapOf("speed" to "7", "grain" to "5")
            reconfigure(second, tuned("speed" to "2", "grain" to "5")) shouldBe Reconfiguration()
            drivers.status("tuned")!!.settings shouldBe mapOf("speed" to "2", "grain" to "5")
        }
        kernel {
            drivers.load(jar, settings = mapOf("speed" to "7", "grain" to "5"))
            // As it was written to the file by whoever asked for the load, and is taken out of there.
            reconfigure(tuned("speed" to "7", "grain" to "5"), tuned("grain" to "5")) shouldBe Reconfiguration()
            drivers.status("tuned")!!.settings shouldBe mapOf("grain" to "5")
        }
    }
})
