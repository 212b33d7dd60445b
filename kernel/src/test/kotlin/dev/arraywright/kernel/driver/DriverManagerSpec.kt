package dev.arraywright.kernel.driver

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.driver.isolate.leak.LeakPatience
import dev.arraywright.kernel.driver.lifecycle.DriverDeadlines
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.event.DriverLeaked
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.DriverLoaded
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.until
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.nio.file.Path
import kotlin.io.path.div
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Real jars, in a real kernel. */
class DriverManagerSpec : StringSpec({
    fun folder(): Path = tempdir().toPath()

    suspend fun kernel(options: DriverOptions = DriverOptions(), block: suspend (ArraywrightKernel) -> Unit) =
        ArraywrightKernel.start(KernelOptions(drivers = options, watch = false)).use { block(it) }

    suspend fun DriverHandle.until(condition: (DriverState) -> Boolean): DriverState =
        withTimeout(60.seconds) { state.first(condition) }

    fun jar(folder: Path, name: String, body: String = "", annotation: String = "", version: String = "1.0.0"): Path {
        val type = "org.example.${name.replaceFirstChar(Char::uppercase)}"
        val source = driverSource(type, name, version, """supportedDevices = "$name" $annotation""", body = body)
        return DriverJar().source(type, source).writeTo(folder / "$name.jar")
    }

    "a driver is loaded, shown, unloaded, gone, and loaded again" {
        kernel { kernel ->
            val path = jar(folder(), "plain")
            val handle = kernel.drivers.load(path)
            handle.id shouldBe "plain"
            handle.state.value shouldBe DriverState.Running
            with(kernel.drivers.drivers.value.getValue("plain")) {
                state shouldBe DriverState.Running
                jar shouldBe path
                classes shouldBe 1
                loadTime shouldNotBe null
                devices.shouldBeEmpty()
            }
            kernel.drivers.statistics.running shouldBe 1
            kernel.drivers.unload("plain")
            handle.until { it !is DriverState.Unloading } shouldBe DriverState.Unloaded
            kernel.drivers.status("plain") shouldBe null
            kernel.until(Topic.DRIVER_LOADED, Topic.DRIVER_UNLOADED).map { it.topic } shouldContainExactly
                listOf(Topic.DRIVER_LOADED, Topic.DRIVER_UNLOADED)
            kernel.drivers.load(path)
            shouldThrow<KernelError.NotFound> { kernel.drivers.unload("plane") }.why shouldContain "loaded are plain"
        }
    }

    "a jar that is another one by now than when it was looked at is not loaded" {
        kernel { kernel ->
            val folder = folder()
            val found = kernel.drivers.scan(jar(folder, "plain")).candidates
            jar(folder, "plain", version = "2.0.0")
            val failure = kernel.drivers.loadFound(found).failures.single()
            failure.error.why shouldContain "its jar is another one by now, with plain 2.0.0"
            kernel.drivers.statistics.classes shouldBe 0
        }
    }

    "a driver that throws in its constructor is failed, told by an event, and may be unloaded" {
        kernel { kernel ->
            val path = jar(folder(), "thrower", """public Thrower() { throw new IllegalStateException("not here"); }""")
            kernel.refuses<KernelError.DriverUnusable>(path).why shouldContain "not here"
            kernel.drivers.status("thrower")!!.state.shouldBeInstanceOf<DriverState.Failed>()
            val event = kernel.until(Topic.DRIVER_LOAD_FAILED).last().occurrence as DriverLoadFailed
            event.driver shouldBe "thrower"
            event.jar shouldBe path.toString()
            kernel.drivers.unload("thrower")
            kernel.drivers.drivers.value shouldBe emptyMap()
        }
    }

    "a driver that hangs in its start is failed in time, and no other waits for it" {
        val deadlines = DriverDeadlines(start = 3.seconds)
        kernel(DriverOptions(deadlines = deadlines, leakPatience = LeakPatience(1, 1.milliseconds))) { kernel ->
            val folder = folder()
            val hanging = jar(
                folder,
                "hanging",
                "@Override public void start() { try { Thread.sleep(100000); } catch (InterruptedException e) {} }",
            )
            val other = jar(folder, "other")
            coroutineScope {
                val late = async { runCatching { kernel.drivers.load(hanging) } }
                withTimeout(60.seconds) {
                    kernel.drivers.drivers.first { it["hanging"]?.state == DriverState.Starting }
                }
                kernel.drivers.load(other).state.value shouldBe DriverState.Running
                kernel.drivers.status("hanging")!!.state shouldBe DriverState.Starting
                late.await().exceptionOrNull().shouldBeInstanceOf<KernelError.DriverUnusable>().details shouldContain
                    "org.example.Hanging.start"
            }
            kernel.drivers.status("hanging")!!.state shouldBe DriverState.Failed("its start() hangs")
        }
    }

    "a driver that needs a class which is not there says which" {
        kernel { kernel ->
            val folder = folder()
            val library = DriverJar().source("org.lib.Lib", "package org.lib; public class Lib { public Lib() {} }")
            val beside = library.writeTo(folder / "library.jar")
            val type = "org.example.Needy"
            val source = driverSource(type, body = "@Override public void start() { new org.lib.Lib(); }")
            val path = DriverJar().compileWith(beside).source(type, source).writeTo(folder / "needy.jar")
            kernel.refuses<KernelError.DriverUnusable>(path).why shouldContain "org/lib/Lib"
        }
    }

    "a driver that brings another SPI runs with the kernel's, and its author is told" {
        kernel { kernel ->
            val other = "dev.arraywright.spi.device.BlockDevice"
            val spi = DriverJar().source(other, "package dev.arraywright.spi.device; public interface BlockDevice {}")
            val path = DriverJar().source("org.example.Own", driverSource("org.example.Own")).library("spi.jar", spi)
                .writeTo(folder() / "own.jar")
            kernel.drivers.load(path)
            kernel.drivers.status("own")!!.notes.single() shouldContain "brings a class of dev.arraywright.spi"
        }
    }

    "of two drivers of one name one is loaded, and of two that serve one scheme" {
        kernel { kernel ->
            val one = ramDriver(folder())
            val two = ramDriver(folder(), version = "2.0.0")
            kernel.drivers.load(one)
            kernel.refuses<KernelError.InUse>(two).why shouldContain "1.0.0"
            kernel.refuses<KernelError.InUse>(ramDriver(folder(), "other", scheme = "ram")).why shouldBe
                "ram: is served by the driver ram"
            kernel.refuses<KernelError.InUse>(ramDriver(folder(), "another", scheme = "memory")).why shouldBe
                "memory: is served by a driver that comes with Arraywright"
            kernel.drivers.unload("ram")
            val report = kernel.drivers.loadAll(listOf(one, two))
            report.loaded.map { it.id } shouldBe listOf("ram")
            report.failures.single().error.why shouldContain "a driver of that name"
        }
    }

    "many who load and unload one driver at once are served one after the other, or told what stands in the way" {
        kernel { kernel ->
            val path = jar(folder(), "wanted")
            val outcomes = withContext(Dispatchers.Default) {
                List(8) {
                    async {
                        List(5) {
                            val loaded = runCatching { kernel.drivers.load(path) }
                            listOf(loaded, runCatching { kernel.drivers.unload("wanted") })
                        }
                    }
                }.awaitAll().flatten().flatten()
            }
            outcomes.mapNotNull { it.exceptionOrNull() }.filter {
                it !is KernelError.InUse && it !is KernelError.NotFound
            }.shouldBeEmpty()
            if (kernel.drivers.status("wanted")?.state == DriverState.Running) kernel.drivers.unload("wanted")
            withTimeout(60.seconds) { kernel.drivers.drivers.first { it.isEmpty() } }
            kernel.drivers.statistics.leaked shouldBe 0
        }
    }

    "a jar of several drivers needs the class to be named" {
        kernel { kernel ->
            val path = DriverJar().source("org.example.A", driverSource("org.example.A"))
                .source("org.example.B", driverSource("org.example.B")).writeTo(folder() / "both.jar")
            kernel.refuses<KernelError.InvalidRequest>(path).why shouldContain "a (org.example.A), b (org.example.B)"
            kernel.drivers.load(path, "org.example.B").id shouldBe "b"
            val no = folder() / "no.jar"
            no.writeText("no jar")
            kernel.refuses<KernelError.DriverUnusable>(no)
            kernel.refuses<KernelError.DriverUnusable>(folder() / "absent.jar")
        }
    }

    "drivers start after those that they require, and those that others require stay" {
        kernel { kernel ->
            val folder = folder()
            val top = jar(folder, "top", annotation = """, requires = {"middle ^1.0", "base"}""")
            val middle = jar(folder, "middle", annotation = """, requires = "base >=1.0" """, version = "1.2.0")
            val base = jar(folder, "base")
            kernel.refuses<KernelError.DriverUnusable>(top).why shouldBe
                "it requires middle ^1.0, and no driver middle is there"
            val lost = jar(folder, "lost", annotation = """, requires = "base ^2.0" """)
            val one = jar(folder, "one", annotation = """, requires = "two" """)
            val two = jar(folder, "two", annotation = """, requires = "one" """)
            val report = kernel.drivers.loadAll(listOf(top, middle, base, lost, one, two))
            report.loaded.map { it.id } shouldBe listOf("base", "middle", "top")
            report.failures.associate { it.name to it.error.why } shouldBe mapOf(
                "lost" to "it requires base ^2.0, and base is 1.0.0",
                "one" to "drivers require each other: one -> two -> one",
                "two" to "it requires one, which cannot be loaded",
            )
            shouldThrow<KernelError.InUse> { kernel.drivers.unload("base") }.why shouldBe
                "it is required by middle, top"
            kernel.drivers.unload("top")
            kernel.drivers.unload("middle")
            kernel.drivers.unload("base")
        }
    }

    "settings are checked before a driver sees them, and change while it runs" {
        val told = "System.setProperty(\"spec.tuned\", context.settings().toString());"
        val body = """
            @Override public void initialize(DriverContext context) { $told }
            @Override public boolean reconfigure(Map<String, String> settings) {
              if (!settings.get("speed").equals("9")) return false;
              System.setProperty("spec.tuned", "live " + settings);
              return true;
            }
        """
        val annotation = """, settings = @DriverSetting(name = "speed", description = "how fast",
            type = DriverSetting.Type.INTEGER, required = true)"""

        fun configuration(settings: String) =
            Configuration.parse("""{ "drivers": { "tuned": { "settings": { $settings } } } }""", "spec")
        kernel { kernel ->
            val path = jar(folder(), "tuned", body, annotation)
            kernel.refuses<KernelError.BadConfiguration>(path).why shouldContain "speed (how fast)"
            kernel.apply(configuration(""""sped": 7""")).shouldBeEmpty()
            kernel.refuses<KernelError.BadConfiguration>(path).why shouldContain "did you mean 'speed'?"
            kernel.apply(configuration(""""speed": 7""")).shouldBeEmpty()
            kernel.drivers.load(path)
            System.getProperty("spec.tuned") shouldBe "{speed=7}"
            kernel.apply(configuration(""""speed": "fast" """)).single().why shouldContain "is not a whole number"
            kernel.apply(configuration(""""speed": 9""")).shouldBeEmpty()
            System.getProperty("spec.tuned") shouldBe "live {speed=9}"
            kernel.apply(configuration(""""speed": 8""")).shouldBeEmpty()
            System.getProperty("spec.tuned") shouldBe "{speed=8}"
            kernel.drivers.status("tuned")!!.settings shouldBe mapOf("speed" to "8")
            System.clearProperty("spec.tuned")
        }
    }

    "no more drivers are loaded than may be" {
        kernel(DriverOptions(maxLoaded = 1)) { kernel ->
            val folder = folder()
            kernel.drivers.load(jar(folder, "one"))
            kernel.refuses<KernelError.InUse>(jar(folder, "two")).remedy shouldContain "maxLoadedDrivers"
            kernel.apply(Configuration(maxLoadedDrivers = 2)).shouldBeEmpty()
            kernel.drivers.load(folder / "two.jar")
        }
    }

    "what was found and is not loaded is shown, and named where it would serve" {
        kernel { kernel ->
            val folder = folder()
            val path = ramDriver(folder)
            (folder / "torn.jar").writeText("torn")
            kernel.drivers.found(kernel.drivers.scan(folder))
            kernel.drivers.drivers.value.mapValues { it.value.state.name } shouldBe
                mapOf("ram" to "Discovered", "torn.jar" to "Rejected")
            val error = shouldThrow<KernelError.DeviceUnusable> { kernel.assembleArray(listOf("ram:a")) }
            error.remedy shouldBe "load the driver ram from $path, which serves ram:"
        }
    }

    "a driver that leaves a thread behind is leaked, with what holds it" {
        kernel(DriverOptions(leakPatience = LeakPatience(2, 1.milliseconds), heapDumpUpTo = 0)) { kernel ->
            val body = """
                @Override public void start() {
                  Thread thread = new Thread(() -> {
                    try { Thread.sleep(1000000); } catch (InterruptedException e) { }
                  }, "left-behind");
                  thread.setDaemon(true);
                  thread.start();
                }
            """
            val handle = kernel.drivers.load(jar(folder(), "leaky", body))
            kernel.drivers.unload("leaky")
            val state = handle.until { it !is DriverState.Unloading }.shouldBeInstanceOf<DriverState.Leaked>()
            state.report shouldContain "left-behind"
            kernel.drivers.status("leaky")!!.state shouldBe state
            val event = kernel.until(Topic.DRIVER_LEAKED).last().occurrence as DriverLeaked
            event.holders.first() shouldContain "left-behind"
            kernel.drivers.statistics.leaked shouldBe 1
            val left = Thread.getAllStackTraces().keys.filter { it.name == "left-behind" }
            left.shouldHaveSize(1).forEach(Thread::interrupt)
        }
    }

    "a hundred drivers are loaded, side by side" {
        kernel { kernel ->
            val folder = folder()
            val jars = List(100) { jar(folder, "driver$it") }
            val began = System.nanoTime()
            val report = kernel.drivers.loadAll(jars)
            println("100 drivers: ${(System.nanoTime() - began) / 1_000_000} ms")
            report.failures.shouldBeEmpty()
            report.loaded.all { it.state.value == DriverState.Running } shouldBe true
            kernel.drivers.statistics.running shouldBe 100
            val one = kernel.until(Topic.DRIVER_LOADED).last().occurrence as DriverLoaded
            println("one of them: ${one.millis} ms")
        }
    }

    "a driver of 10,000 classes is loaded, has those that it uses, and goes" {
        kernel { kernel ->
            val body = """
                @Override public void start() {
                  try {
                    for (int i = 0; i < 10000; i++) Class.forName("padding.p" + i % 100 + ".C" + i);
                  } catch (ClassNotFoundException e) { throw new IllegalStateException(e); }
                }
            """
            val jar = DriverJar().source("org.example.Large", driverSource("org.example.Large", body = body))
                .padding(10_000).writeTo(folder() / "large.jar")
            val handle = kernel.drivers.load(jar)
            with(kernel.drivers.status("large")!!) {
                println("10,000 classes: $loadTime, ${classBytes shr 20} MiB")
                classes shouldBe 10_001
            }
            kernel.drivers.unload("large")
            handle.until { it !is DriverState.Unloading } shouldBe DriverState.Unloaded
        }
    }
})

private suspend inline fun <reified T : KernelError> ArraywrightKernel.refuses(jar: Path): T =
    shouldThrow<T> { drivers.load(jar) }
