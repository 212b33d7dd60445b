package dev.arraywright.admin.cli.driver

import dev.arraywright.admin.Bench
import dev.arraywright.admin.control.driver.DriverView
import dev.arraywright.admin.control.driver.DriversView
import dev.arraywright.admin.control.driver.ScanView
import dev.arraywright.admin.control.driver.UpgradeView
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.serialization.json.Json
import java.nio.file.Path
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteExisting
import kotlin.io.path.div
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** Drivers by the command line, of a serving process, from real jars. */
class DriverSpec : StringSpec({
    class Desk(val bench: Bench, val drivers: Path, val jars: Path, val keep: Path) {
        suspend fun run(vararg words: Any) = bench.run("driver", *words)

        suspend fun list(): DriversView = Json.decodeFromString(run("list", "-o", "json").ok().out)

        suspend fun info(): DriverView = Json.decodeFromString(run("info", "shelf", "-o", "json").ok().out)

        suspend fun refused(vararg words: Any, because: String) {
            val outcome = run(*words)
            withClue("${words.toList()}: $outcome") {
                outcome.code shouldBe 1
                outcome.out shouldBe ""
                outcome.err shouldContain because
                outcome.err shouldContain "to do:"
            }
        }
    }

    suspend fun served(test: suspend Desk.() -> Unit) {
        Bench().use { bench ->
            val (drivers, jars, keep) = listOf("drivers", "jars", "keep").map {
                (bench.directory / it).createDirectory()
            }
            val file = bench.directory / "c.json"
            file.writeText(
                """{ "http": {"port": 0}, "nbd": {"port": 0}, "driverDirectory": "$drivers",
                     "drivers": { "shelf": { "settings": { "keep": "$keep" } } } }""",
            )
            bench.during("serve", "--config", file) { Desk(bench, drivers, jars, keep).test() }
        }
    }

    "a driver is loaded, shown, upgraded under an array and unloaded" {
        served {
            list().drivers.filter { !it.builtIn }.shouldBeEmpty()
            run("list").ok().out shouldContain Regex("file +0\\.1\\.0 +running, built in +file +0 +0 +0 +- +-")
            refused("unload", "file", because = "a driver of that name comes with Arraywright")
            refused("upgrade", "file", jars / "none.jar", because = "a driver of that name comes with Arraywright")
            run("load", driverJar(jars / "one.jar")).ok().out shouldStartWith "loaded shelf 1.0.0:\n"
            list().run {
                val loaded = drivers.filter { !it.builtIn }
                loaded.map { it.name } shouldContainExactly listOf("shelf")
                loaded.single().state shouldBe "running"
                statistics.running shouldBe 1
            }
            val members = listOf("shelf:a", "shelf:b", "shelf:c")
            bench.run("create", "vault", "--level", "5", members, "--assume-clean").ok()
            info().run {
                devices.sorted() shouldBe members
                settings shouldBe mapOf("keep" to "$keep", "size" to "16MiB")
                jar shouldBe "${jars / "one.jar"}"
                announced?.settings?.map { it.name } shouldBe listOf("keep", "size")
            }
            run("info", "shelf").ok().out shouldContain "Setting : size = 16MiB (size, default 16MiB): of a device"
            refused("unload", "shelf", because = "its devices are in use: shelf:a (in the array vault)")

            val upgrade = run("upgrade", "shelf", driverJar(jars / "two.jar", "1.1.0"), "-o", "json").ok().out
            Json.decodeFromString<UpgradeView>(upgrade).run {
                listOf(from, to, "$devices") shouldBe listOf("1.0.0", "1.1.0", "3")
            }
            run("upgrade", "shelf", driverJar(jars / "three.jar", "1.2.0")).ok().out shouldContain
                Regex("^shelf 1\\.1\\.0 -> 1\\.2\\.0: 3 devices moved, longest pause [0-9.]+ ms, [0-9.]+ ms in all")
            info().announced?.version shouldBe "1.2.0"

            run("unload", "shelf", "--fail-devices").ok().out.trim() shouldBe "unloaded shelf"
            list().drivers.filter { it.state == "running" && !it.builtIn }.shouldBeEmpty()
            bench.run("detail", "vault").ok().out shouldContain "failed"
        }
    }

    "drivers that require each other's new versions are upgraded together" {
        fun rack(jar: Path, version: String, needs: String) = driverJar(
            jar,
            version,
            """autoLoad = false, opensBeside = true, requires = "shelf $needs"""",
            name = "rack",
        )
        served {
            run("load", driverJar(jars / "one.jar")).ok()
            run("load", rack(jars / "rack.jar", "1.0.0", "^1"), "--set", "keep=$keep").ok()
            run("info", "rack").ok().out shouldContain "opens its devices beside the old ones"
            val (two, next) = driverJar(jars / "two.jar", "2.0.0") to rack(jars / "next.jar", "2.0.0", "^2")
            refused("upgrade", "shelf", two, because = "rack 1.0.0 requires shelf")
            refused("upgrade", "shelf", next, "--with", two, because = "has none of that name")
            info().announced?.version shouldBe "1.0.0"
            run("upgrade", "shelf", two, "--with", next).ok().out.run {
                shouldContain("shelf 1.0.0 -> 2.0.0")
                shouldContain("rack 1.0.0 -> 2.0.0 along with it")
            }
            list().drivers.filter { !it.builtIn }.map { it.name to it.announced?.version } shouldContainExactly
                listOf("rack" to "2.0.0", "shelf" to "2.0.0")
        }
    }

    "settings and the class may be given, and what is refused says why" {
        served {
            val jar = driverJar(jars / "one.jar")
            refused("load", jar, "--set", "size=big", because = "size")
            refused("load", jar, "--set", "colour=red", because = "colour")
            refused("load", jar, "--type", "org.example.Other", because = "org.example.Other")
            refused("load", jars / "none.jar", because = "none.jar")
            refused("upgrade", "shelf", jar, because = "no driver is loaded")
            refused("unload", "shelf", because = "no driver is loaded")
            refused("info", "shelf", because = "there is no driver shelf")
            run("load", jar, "--type", "org.example.Shelf", "--set", "size=1MiB").ok()
            info().settings["size"] shouldBe "1MiB"
            refused("load", jar, because = "is loaded")
            refused("info", "shelve", because = "there are block, file, memory, nbd, shelf")
            for (words in listOf("load", "load x --set size", "unload", "upgrade shelf", "scan", "lod x")) {
                run(words.split(' ')).run { withClue(words) { code shouldBe 2 } }
            }
            run("load", jar, "--set", "size").err shouldContain "write it like timeout=5s"
        }
    }

    "a driver that fails says why, where with --debug, and is shown as failed" {
        served {
            val jar = driverJar(jars / "bad.jar", start = """throw new IllegalStateException("no fabric here");""")
            run("load", jar).run {
                code shouldBe 1
                err shouldStartWith "arraywright: cannot load the driver shelf"
                err shouldContain "no fabric here"
                err shouldNotContain "Shelf.java"
            }
            run("load", jar, "--debug").err shouldContain "Shelf.java"
            info().run {
                state shouldBe "failed"
                detail.orEmpty() shouldContain "no fabric here"
            }
            run("list").ok().out shouldContain Regex("shelf +1\\.0\\.0 +failed")
        }
    }

    "what lies in the drivers' directory is listed, loaded if it wants to be, and unloaded with its jar" {
        served {
            (drivers / "bad.jar").writeText("PK, but no more")
            val jar = driverJar(drivers / "shelf.jar", annotation = "autoLoad = true")
            eventually(20.seconds) { info().state shouldBe "running" }
            driverJar(drivers / "shelf.jar", "1.1.0", annotation = "autoLoad = true")
            eventually(20.seconds) { info().announced?.version shouldBe "1.1.0" }
            jar.deleteExisting()
            eventually(20.seconds) { list().drivers.none { it.state == "running" && !it.builtIn } shouldBe true }
        }
    }

    "jars are scanned without a process, and one that is rejected makes it fail" {
        Bench().use { bench ->
            val jar = driverJar(bench.directory / "shelf.jar")
            bench.run("driver", "scan", jar).ok().out shouldContain "shelf"
            (bench.directory / "bad.jar").writeText("no zip at all")
            val outcome = bench.run("driver", "scan", bench.directory, "-o", "json")
            outcome.code shouldBe 1
            Json.decodeFromString<ScanView>(outcome.out).run {
                candidates.map { it.announced.name } shouldContainExactly listOf("shelf")
                candidates.single().jar shouldBe "$jar"
                rejected.map { it.jar } shouldContainExactly listOf("${bench.directory / "bad.jar"}")
            }
            bench.run(
                "driver",
                "scan",
                bench.directory,
            ).out shouldContain "rejected: ${bench.directory / "bad.jar"}: it "
            bench.run("driver", "scan", bench.directory / "none.jar").code shouldBe 1
        }
    }

    "where nothing serves, it says how to begin" {
        Bench().use { bench ->
            for (words in listOf("list", "info x", "load x.jar", "unload x", "upgrade x x.jar")) {
                bench.run("driver", words.split(' ')).run {
                    code shouldBe 1
                    err shouldContain "start one with arraywright serve"
                }
            }
        }
    }
})
