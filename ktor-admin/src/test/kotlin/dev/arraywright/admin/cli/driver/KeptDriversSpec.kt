package dev.arraywright.admin.cli.driver

import dev.arraywright.admin.Bench
import dev.arraywright.admin.control.driver.DriverView
import dev.arraywright.admin.control.driver.DriversView
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.DriverConfiguration
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.serialization.json.Json
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.div
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** What was done with drivers by the command line, after the serving process was started again. */
class KeptDriversSpec : StringSpec({
    class Desk(val bench: Bench, val keep: Path, val drivers: Path, val file: Path) {
        val directory: Path get() = bench.directory

        suspend fun run(vararg words: Any) = bench.run("driver", *words)

        /** A serving process, from its start to its end. */
        suspend fun serving(block: suspend () -> Unit) = bench.during("serve", "--config", file) { block() }

        suspend fun shelf(): DriverView? = Json.decodeFromString<DriversView>(run("list", "-o", "json").ok().out)
            .drivers.find { it.name == "shelf" && it.state == "running" }

        fun noted(): DriverConfiguration? = Configuration.load(file).drivers["shelf"]
    }

    suspend fun desk(settings: String = "", more: String = "", test: suspend Desk.() -> Unit) {
        Bench().use { bench ->
            val (keep, drivers) = listOf("keep", "drivers").map { (bench.directory / it).createDirectory() }
            val file = bench.directory / "c.json"
            val shelf = if (settings.isEmpty()) "" else """, "drivers": { "shelf": { "settings": { $settings } } }"""
            file.writeText(
                """{ "http": {"port": 0}, "nbd": {"port": 0}, "driverDirectory": "$drivers"$shelf$more }""",
            )
            Desk(bench, keep, drivers, file).test()
        }
    }

    "an array over a driver that was loaded runs again, of the version that it was upgraded to" {
        desk {
            val one = driverJar(directory / "one.jar")
            val two = driverJar(directory / "two.jar", "1.1.0")
            val members = listOf("shelf:a", "shelf:b")
            serving {
                run("load", one, "--type", "org.example.Shelf", "--set", "keep=$keep", "--set", "size=1MiB").ok()
                noted() shouldBe
                    DriverConfiguration(mapOf("keep" to "$keep", "size" to "1MiB"), "$one", "org.example.Shelf")
                bench.run("create", "vault", "--level", "1", members, "--assume-clean").ok()
            }
            serving {
                bench.run("detail", "vault").ok().out shouldContain "optimal"
                shelf()!!.settings shouldBe mapOf("keep" to "$keep", "size" to "1MiB")
                run("upgrade", "shelf", two).ok()
                noted() shouldBe DriverConfiguration(mapOf("keep" to "$keep", "size" to "1MiB"), "$two")
            }
            serving {
                shelf()!!.announced?.version shouldBe "1.1.0"
                shelf()!!.devices.sorted() shouldBe members
                bench.run("detail", "vault").ok().out shouldContain "optimal"
            }
        }
    }

    "one that was unloaded is not loaded again; what it was loaded with goes, and what was configured stays" {
        desk(""" "size": "2MiB" """) {
            val jar = driverJar(directory / "one.jar")
            serving {
                run("load", jar, "--set", "keep=$keep", "--set", "size=1MiB").ok()
                noted() shouldBe DriverConfiguration(mapOf("size" to "1MiB", "keep" to "$keep"), "$jar")
                run("unload", "shelf").ok()
                noted() shouldBe DriverConfiguration(mapOf("size" to "2MiB"))
                run("load", jar, "--set", "keep=$keep", "--set", "size=1MiB").ok()
                file.writeText(file.readText().replace("1MiB", "3MiB"))
                eventually(20.seconds) { shelf()!!.settings["size"] shouldBe "3MiB" }
                run("unload", "shelf").ok()
                noted() shouldBe DriverConfiguration(mapOf("size" to "3MiB"))
            }
            serving { shelf() shouldBe null }
        }
    }

    "nothing stays of one of which nothing else was configured" {
        desk {
            serving {
                run("load", driverJar(directory / "one.jar"), "--set", "keep=$keep").ok()
                run("unload", "shelf").ok()
                Configuration.load(file).drivers shouldBe emptyMap()
            }
        }
    }

    "one that the drivers' directory sees to is not noted, and one that only lies there is" {
        desk(""" "keep": "/" """) {
            serving {
                val itself = driverJar(drivers / "one.jar", annotation = "autoLoad = true")
                eventually(20.seconds) { shelf()?.jar shouldBe "$itself" }
                val elsewhere = driverJar(directory / "two.jar", "1.1.0")
                run("upgrade", "shelf", elsewhere).ok()
                noted() shouldBe DriverConfiguration(mapOf("keep" to "/"), "$elsewhere")
                run("upgrade", "shelf", itself).ok()
                noted() shouldBe DriverConfiguration(mapOf("keep" to "/"))
                run("unload", "shelf").ok()
                run("load", itself).ok()
                noted() shouldBe DriverConfiguration(mapOf("keep" to "/"))
                run("unload", "shelf").ok()
                val idle = driverJar(drivers / "idle.jar")
                run("load", idle).ok()
                noted() shouldBe DriverConfiguration(mapOf("keep" to "/"), "$idle")
            }
        }
    }

    "a load that cannot be written down is done and told as such, and one that fails is not noted" {
        desk(""" "keep": "/" """) {
            val bad = driverJar(directory / "bad.jar", start = """throw new IllegalStateException("no fabric here");""")
            val good = driverJar(directory / "good.jar")
            serving {
                run("load", bad).code shouldBe 1
                noted() shouldBe DriverConfiguration(mapOf("keep" to "/"))
                file.writeText("{ work in progress")
                run("load", good).run {
                    code shouldBe 1
                    err shouldContain "the change was made, but will not outlast this process"
                }
                shelf()!!.jar shouldBe "$good"
                file.readText() shouldBe "{ work in progress"
            }
        }
    }

    "a jar that is gone is told at the start, and the rest is served" {
        desk(more = """, "policy": { "rebuildPriority": 7 }""") {
            val jar = driverJar(directory / "one.jar")
            serving { run("load", jar, "--set", "keep=$keep").ok() }
            jar.toFile().delete()
            serving {
                shelf() shouldBe null
                bench.run("policy", "show").ok().out shouldContain Regex("rebuildPriority *= 7")
                bench.run("config", "show").ok().out shouldNotContain "cannot be used"
                // It is back, and what is configured of it was edited: it is tried again.
                driverJar(jar)
                file.writeText(file.readText().replace("\"$keep\"", "\"/\""))
                eventually(20.seconds) { shelf()?.settings?.get("keep") shouldBe "/" }
                Json.decodeFromString<DriverView>(run("info", "shelf", "-o", "json").ok().out).devices.shouldBeEmpty()
            }
        }
    }
})
