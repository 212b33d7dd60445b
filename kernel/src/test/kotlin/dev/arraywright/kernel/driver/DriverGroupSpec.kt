package dev.arraywright.kernel.driver

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.driver.lifecycle.CrashPolicy
import dev.arraywright.kernel.driver.lifecycle.DriverDeadlines
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.get
import dev.arraywright.kernel.spare.put
import dev.arraywright.kernel.spare.until
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

private const val PIECE = 64 * 1024

private suspend fun ArraywrightKernel.nth(topic: Topic, count: Int, from: Long = 1): KernelEvent {
    val event = until(topic, from = from).last()
    return if (count == 1) event else nth(topic, count - 1, event.sequence + 1)
}

/** Drivers that require others, under arrays over their devices; real jars, in a real kernel. */
class DriverGroupSpec : StringSpec({
    fun folder(): Path = tempdir().toPath()

    suspend fun kernel(options: DriverOptions = DriverOptions(), block: suspend (ArraywrightKernel) -> Unit) =
        ArraywrightKernel.start(KernelOptions(drivers = options, watch = false)).use { block(it) }

    fun over(folder: Path, version: String, base: String, body: String = "") =
        ramDriver(folder, "over", version, """, requires = "base ^$base" """, body = body)

    suspend fun ArraywrightKernel.loadBoth(base: Path, over: Path, at: String = tempdir().path) {
        val keep = mapOf("keep" to at)
        drivers.load(base, settings = keep)
        drivers.load(over, settings = keep)
    }

    suspend fun ArraywrightKernel.vault(vararg members: String) =
        createArray(ArraySpec("vault", RaidLevel.RAID5, members.toList(), chunk = PIECE, assumeClean = true))

    fun ArraywrightKernel.versions() =
        listOf("base", "over").map { "${drivers.status(it)?.info} ${drivers.status(it)?.state?.name}" }

    suspend fun ArraywrightKernel.untilState(name: String, condition: (DriverState?) -> Boolean) =
        withTimeout(60.seconds) { drivers.drivers.first { condition(it[name]?.state) } }

    val throws = """@Override public void start() { throw new IllegalStateException("no power"); }"""

    "an array over devices of two drivers is written to while both are upgraded at once, or neither" {
        kernel { kernel ->
            val folder = folder()
            kernel.loadBoth(ramDriver(folder, "base"), over(folder, "1.0.0", "1"))
            val array = kernel.vault("base:a", "over:b", "over:c")
            val pieces = List(16) { at -> ByteArray(PIECE).also { Random(at).nextBytes(it) } }
            withContext(Dispatchers.Default) {
                var writing = true
                val writer = launch {
                    while (writing) {
                        for ((at, piece) in pieces.withIndex()) array.write(ByteBuffer.wrap(piece), at * PIECE.toLong())
                        for ((at, piece) in pieces.withIndex()) array.get(PIECE, at * PIECE.toLong()) shouldBe piece
                    }
                }
                val jars = listOf(over(folder, "2.0.0", "2"), ramDriver(folder, "base", "2.0.0"))
                val report = kernel.drivers.upgradeAll(jars)
                println("${report.upgrades}, longest pause ${report.upgrades.maxOf { it.report.longestPause }}")
                report.upgrades.map { "$it ${it.report.devices}" } shouldBe
                    listOf("base 1.0.0 -> 2.0.0 1", "over 1.0.0 -> 2.0.0 2")
                val bad = listOf(ramDriver(folder, "base", "3.0.0"), over(folder, "3.0.0", "3", throws))
                shouldThrow<KernelError.DriverUnusable> { kernel.drivers.upgradeAll(bad) }.message shouldContain
                    "the driver over: its start() failed: java.lang.IllegalStateException: no power"
                kernel.versions() shouldBe listOf("base 2.0.0 Running", "over 2.0.0 Running")
                writing = false
                writer.join()
            }
            array.status.value.health shouldBe ArrayHealth.OPTIMAL
            kernel.nth(Topic.DRIVER_UPGRADED, 2)
            kernel.drivers.statistics.leaked shouldBe 0
            shouldThrow<KernelError.NotFound> { kernel.drivers.upgradeAll(listOf(ramDriver(folder, "other"))) }
            shouldThrow<KernelError.InvalidRequest> {
                kernel.drivers.upgradeAll(listOf("4.0.0", "5.0.0").map { ramDriver(folder, "base", it) })
            }
        }
    }

    "an upgrade takes along those that need it, in versions that the drivers' directory has, else it is refused" {
        kernel { kernel ->
            val folder = folder()
            kernel.loadBoth(ramDriver(folder(), "base"), over(folder(), "1.0.0", "1"))
            val array = kernel.vault("base:a", "over:b", "over:c")
            val next = ramDriver(folder(), "base", "2.0.0")
            val refused = shouldThrow<KernelError.DriverUnusable> { kernel.drivers.upgrade("base", next) }
            refused.message shouldBe "cannot upgrade the driver base to 2.0.0: over 1.0.0 requires base ^1"
            over(folder, "2.0.0", "2")
            over(folder, "3.0.0", "3")
            kernel.drivers.found(kernel.drivers.scan(folder))
            val report = kernel.drivers.upgrade("base", next)
            report.devices shouldBe 1
            report.notes shouldBe listOf("over 1.0.0 -> 2.0.0 along with it")
            kernel.versions() shouldBe listOf("base 2.0.0 Running", "over 2.0.0 Running")
            // What was taken along is what may be taken along again.
            over(folder, "2.5.0", "2", throws)
            ramDriver(folder, "base", "3.0.0")
            kernel.drivers.found(kernel.drivers.scan(folder))
            kernel.drivers.upgrade("over", folder.resolve("over-3.0.0.jar")).notes shouldBe
                listOf("base 2.0.0 -> 3.0.0 along with it")
            array.put(ByteArray(PIECE) { 5 })
            array.get(PIECE) shouldBe ByteArray(PIECE) { 5 }
            kernel.drivers.statistics.leaked shouldBe 0
        }
    }

    fun sick(property: String) = """
        @Override public DeviceHealth health() {
          boolean bad = Boolean.getBoolean("$property");
          return bad ? new DeviceHealth(DeviceHealth.Status.FAILED, "no power") : DeviceHealth.GOOD;
        }
    """

    "a driver that others require fails: they rest, their devices go on, and they are back after it" {
        val deadlines = DriverDeadlines(healthInterval = 20.milliseconds)
        val policy = CrashPolicy(restarts = 1, first = 10.milliseconds)
        val property = "spec.group.sick"
        kernel(DriverOptions(deadlines = deadlines, crashes = policy)) { kernel ->
            val folder = folder()
            val keep = tempdir().path
            val base = ramDriver(folder, "base", body = sick(property))
            kernel.loadBoth(base, over(folder, "1.0.0", "1"), keep)
            val top = ramDriver(folder, "top", annotation = """, requires = "over" """)
            kernel.drivers.load(top)
            val array = kernel.vault("base:a", "over:b", "over:c")
            array.put(ByteArray(PIECE) { 1 })
            val from = kernel.nth(Topic.DRIVER_LOADED, 3).sequence + 1
            try {
                // It fails, is restarted, fails again, and is in quarantine.
                System.setProperty(property, "true")
                kernel.until(Topic.DRIVER_QUARANTINED, from = from)
                val why = "it requires base ^1, which is in quarantine: it says that it has failed: no power"
                kernel.untilState("over") { it == DriverState.Failed(why) }
                kernel.untilState("top") { (it as? DriverState.Failed)?.why?.contains(why) == true }
            } finally {
                System.clearProperty(property)
            }
            kernel.nth(Topic.DRIVER_WAITING, 1, from).occurrence.message shouldContain "the driver top waits"
            kernel.nth(Topic.DRIVER_WAITING, 2, from).occurrence.message shouldContain "the driver over waits"
            // Nobody took the devices away.
            array.get(PIECE) shouldBe ByteArray(PIECE) { 1 }
            array.put(ByteArray(PIECE) { 2 })
            shouldThrow<KernelError> { kernel.protection.addSpare("over:d") }
            kernel.drivers.load(base, settings = mapOf("keep" to keep))
            kernel.untilState("top") { it == DriverState.Running }
            kernel.versions() shouldBe listOf("base 1.0.0 Running", "over 1.0.0 Running")
            array.get(PIECE) shouldBe ByteArray(PIECE) { 2 }
            array.status.value.health shouldBe ArrayHealth.OPTIMAL
        }
    }

    fun failed(why: String) = DriverState.Failed(why)

    "one that rests may see what it requires unloaded, and comes back with another that will do" {
        val deadlines = DriverDeadlines(healthInterval = 20.milliseconds)
        val property = "spec.group.gone"
        kernel(DriverOptions(deadlines = deadlines, crashes = CrashPolicy(restarts = 0))) { kernel ->
            val folder = folder()
            kernel.loadBoth(ramDriver(folder, "base", body = sick(property)), over(folder, "1.0.0", "1"))
            shouldThrow<KernelError.InUse> { kernel.drivers.unload("base") }.why shouldBe "it is required by over"
            System.setProperty(property, "true")
            try {
                kernel.untilState("over") { it is DriverState.Failed }
                kernel.drivers.unload("base")
                kernel.untilState("over") { it == failed("it requires base ^1, and no driver base is there") }
            } finally {
                System.clearProperty(property)
            }
            kernel.drivers.load(ramDriver(folder, "base", "2.0.0"))
            kernel.untilState("over") { it == failed("it requires base ^1, and base is 2.0.0") }
            kernel.drivers.upgrade("base", ramDriver(folder, "base", "1.5.0"))
            kernel.untilState("over") { it == DriverState.Running }
        }
    }

    "settings that have a driver restarted leave those alone that require it" {
        kernel { kernel ->
            val folder = folder()
            kernel.drivers.load(ramDriver(folder, "base"))
            kernel.drivers.load(over(folder, "1.0.0", "1"))
            val text = """{ "drivers": { "base": { "settings": { "keep": "${tempdir().path}" } } } }"""
            kernel.apply(Configuration.parse(text, "spec")).shouldBeEmpty()
            kernel.drivers.status("base")!!.settings.keys shouldBe setOf("keep")
            kernel.versions() shouldBe listOf("base 1.0.0 Running", "over 1.0.0 Running")
        }
    }

    "who gives up a load that fails later leaves nothing of it reserved" {
        val deadlines = DriverDeadlines(start = 1.seconds)
        kernel(DriverOptions(deadlines = deadlines)) { kernel ->
            val folder = folder()
            val hangs = """
                @Override public void start() { try { Thread.sleep(100000); } catch (InterruptedException e) {} }
            """
            coroutineScope {
                val loading = async { kernel.drivers.load(ramDriver(folder, "slow", scheme = "ram", body = hangs)) }
                kernel.untilState("slow") { it == DriverState.Starting }
                loading.cancelAndJoin()
            }
            kernel.drivers.status("slow")!!.state shouldBe DriverState.Starting
            kernel.untilState("slow") { it is DriverState.Failed }
            // The schemes are free an instant after the state is shown.
            withTimeout(60.seconds) {
                while (true) {
                    try {
                        kernel.drivers.load(ramDriver(folder))
                        break
                    } catch (e: KernelError.InUse) {
                        e.why shouldContain "is served by the driver slow"
                        yield()
                    }
                }
            }
            kernel.drivers.status("ram")!!.state.shouldBeInstanceOf<DriverState.Running>()
            val told = kernel.until(Topic.DRIVER_LOAD_FAILED).last().occurrence.message
            told shouldContain "its start() hangs"
        }
    }

    "who gives up an upgrade that fails later has its failure told" {
        kernel(DriverOptions(deadlines = DriverDeadlines(start = 1.seconds))) { kernel ->
            val folder = folder()
            kernel.drivers.load(ramDriver(folder))
            val hangs = """
                @Override public void start() {
                  System.setProperty("spec.group.starting", "true");
                  try { Thread.sleep(100000); } catch (InterruptedException e) {}
                }
            """
            val next = ramDriver(folder, version = "2.0.0", body = hangs)
            try {
                withContext(Dispatchers.Default) {
                    val upgrading = async { kernel.drivers.upgrade("ram", next) }
                    withTimeout(60.seconds) { while (System.getProperty("spec.group.starting") == null) yield() }
                    upgrading.cancelAndJoin()
                }
            } finally {
                System.clearProperty("spec.group.starting")
            }
            kernel.until(Topic.DRIVER_LOAD_FAILED).last().occurrence.message shouldContain "its start() hangs"
        }
    }

    "two that would come to serve the same are not upgraded together" {
        kernel { kernel ->
            val folder = folder()
            val names = listOf("base", "over")
            for (name in names) kernel.drivers.load(ramDriver(folder, name))
            val next = names.map { ramDriver(folder, it, "2.0.0", scheme = "disk") }
            shouldThrow<KernelError.InUse> { kernel.drivers.upgradeAll(next) }.message shouldBe
                "cannot upgrade the driver over to 2.0.0: disk: would be served by base, too"
            kernel.versions() shouldBe listOf("base 1.0.0 Running", "over 1.0.0 Running")
            kernel.drivers.upgradeAll(next.take(1)).upgrades.map { "$it" } shouldBe listOf("base 1.0.0 -> 2.0.0")
        }
    }

    "the devices of a driver that says so are opened by its next version while the old one serves" {
        val annotation = ", opensBeside = true"
        val waits = """
            System.setProperty("spec.beside.opening", "true");
            try {
              for (int i = 0; i < 3000 && System.getProperty("spec.beside.written") == null; i++) Thread.sleep(10);
            } catch (InterruptedException e) { }
        """
        try {
            kernel { kernel ->
                val folder = folder()
                val keep = mapOf("keep" to tempdir().path)
                kernel.drivers.load(ramDriver(folder, annotation = annotation), settings = keep)
                val array = kernel.vault("ram:a", "ram:b", "ram:c")
                array.put(ByteArray(PIECE) { 1 })
                withContext(Dispatchers.Default) {
                    val next = ramDriver(folder, version = "1.1.0", annotation = annotation, opening = waits)
                    val upgrading = async { kernel.drivers.upgrade("ram", next) }
                    withTimeout(60.seconds) {
                        while (System.getProperty("spec.beside.opening") == null) yield()
                    }
                    // It would wait for ever if calls did.
                    array.put(ByteArray(PIECE) { 2 })
                    System.setProperty("spec.beside.written", "true")
                    upgrading.await().devices shouldBe 3
                }
                array.get(PIECE) shouldBe ByteArray(PIECE) { 2 }
                array.status.value.health shouldBe ArrayHealth.OPTIMAL
            }
        } finally {
            System.clearProperty("spec.beside.opening")
            System.clearProperty("spec.beside.written")
        }
    }
})
