package dev.arraywright.kernel.driver

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.driver.lifecycle.CrashPolicy
import dev.arraywright.kernel.driver.lifecycle.DriverDeadlines
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.event.DriverUpgraded
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.MIB
import dev.arraywright.kernel.spare.get
import dev.arraywright.kernel.spare.put
import dev.arraywright.kernel.spare.until
import dev.arraywright.raid.layout.RaidLevel
import dev.arraywright.spi.device.DeviceIoException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import java.nio.ByteBuffer
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Arrays over the devices of drivers that come and go. */
class DriverDevicesSpec : StringSpec({
    fun folder(): Path = tempdir().toPath()

    suspend fun kernel(options: DriverOptions = DriverOptions(), block: suspend (ArraywrightKernel) -> Unit) =
        ArraywrightKernel.start(KernelOptions(drivers = options)).use { block(it) }

    suspend fun ArraywrightKernel.vault(vararg members: String) =
        createArray(ArraySpec("vault", RaidLevel.RAID5, members.toList(), chunk = 64 * 1024, assumeClean = true))

    suspend fun DriverHandle.gone() {
        withTimeout(60.seconds) { state.first { it != DriverState.Unloading } } shouldBe DriverState.Unloaded
    }

    "an array over a loaded driver's devices: the driver stays while it is used, and goes when it is not" {
        kernel { kernel ->
            val handle = kernel.drivers.load(ramDriver(folder()))
            val array = kernel.vault("ram:a", "ram:b", "ram:c")
            val data = Random(1).nextBytes(1 shl 20)
            array.put(data, 512)
            array.get(data.size, 512) shouldBe data
            val error = shouldThrow<KernelError.InUse> { kernel.drivers.unload("ram") }
            error.why shouldBe "its devices are in use: ram:a (in the array vault), ram:b (in the array vault), " +
                "ram:c (in the array vault)"
            kernel.until(Topic.DRIVER_UNLOAD_FAILED)
            // Still there for more.
            kernel.protection.addSpare("ram:d")
            shouldThrow<KernelError.InUse> { kernel.drivers.unload("ram") }.why shouldContain "ram:d (a shared spare)"
            with(kernel.drivers.status("ram")!!) {
                devices shouldBe listOf("ram:a", "ram:b", "ram:c", "ram:d")
                figures.opens shouldBe 4
                (figures.calls > 0) shouldBe true
                figures.errors shouldBe 0
                (figures.maxLatency >= figures.meanLatency) shouldBe true
            }
            kernel.stopArray("vault")
            kernel.protection.removeSpare("ram:d")
            kernel.drivers.unload("ram")
            handle.gone()
            shouldThrow<KernelError> { kernel.assembleArray(listOf("ram:a")) }.why shouldContain "no driver serves"
        }
    }

    "a driver that is unloaded under its devices fails them, and leaves nothing behind" {
        kernel { kernel ->
            val handle = kernel.drivers.load(ramDriver(folder()))
            val other = kernel.drivers.load(ramDriver(folder(), "rem"))
            val array = kernel.vault("ram:a", "rem:b", "rem:c")
            array.put(ByteArray(4096) { 1 })
            kernel.protection.addSpare("ram:d")
            kernel.drivers.unload("ram", failDevices = true)
            array.status.value.health shouldBe ArrayHealth.DEGRADED
            kernel.until(Topic.DEVICE_FAILED).last().occurrence.cause shouldContain "its driver ram is unloaded"
            array.get(4096) shouldBe ByteArray(4096) { 1 }
            handle.gone()
            other.state.value shouldBe DriverState.Running
            kernel.drivers.load(ramDriver(folder()))
            array.remove("ram:a")
            array.add("ram:a")
            array.awaitIdle()
            array.status.value.health shouldBe ArrayHealth.OPTIMAL
            array.get(4096) shouldBe ByteArray(4096) { 1 }
        }
    }

    "exceptions of a driver's own stay with it, however long somebody keeps what he got" {
        kernel { kernel ->
            val handle = kernel.drivers.load(ramDriver(folder()))
            val kept = mutableListOf<Throwable>()
            kept += shouldThrow<KernelError.DeviceUnusable> { kernel.vault("ram:bad", "ram:b", "ram:c") }
            kept.last().message shouldContain "nobody made bad"
            val array = kernel.createArray(
                ArraySpec("odd", RaidLevel.RAID0, listOf("ram:odd", "ram:e"), chunk = 64 * 1024, assumeClean = true),
            )
            kept += shouldThrow<DeviceIoException> {
                for (offset in 0 until array.size step MIB) array.get(MIB.toInt(), offset)
            }
            (kernel.drivers.status("ram")!!.figures.errors >= 2) shouldBe true
            kernel.stopArray("odd")
            kernel.drivers.unload("ram")
            handle.gone()
            kept.size shouldBe 2
        }
    }

    "a driver is upgraded under an array that is written to, and the old version goes" {
        kernel { kernel ->
            val keep = tempdir().path
            val folder = folder()
            val handle = kernel.drivers.load(ramDriver(folder), settings = mapOf("keep" to keep))
            val array = kernel.vault("ram:a", "ram:b", "ram:c")
            val pieces = List(64) { Random(it).nextBytes(64 * 1024) }
            withContext(Dispatchers.Default) {
                val writing = launch {
                    for ((index, piece) in pieces.withIndex()) array.write(ByteBuffer.wrap(piece), index * 65536L)
                }
                val report = kernel.drivers.upgrade("ram", ramDriver(folder, version = "1.1.0"))
                println("upgraded ${report.devices} devices, longest pause ${report.longestPause}, ${report.total}")
                report.devices shouldBe 3
                writing.join()
            }
            for ((index, piece) in pieces.withIndex()) array.get(piece.size, index * 65536L) shouldBe piece
            array.status.value.health shouldBe ArrayHealth.OPTIMAL
            handle.info.version.toString() shouldBe "1.1.0"
            val told = kernel.until(Topic.DRIVER_UPGRADED).last().occurrence as DriverUpgraded
            listOf(told.from, told.to, told.devices) shouldBe listOf("1.0.0", "1.1.0", 3)
            kernel.drivers.statistics.leaked shouldBe 0
        }
    }

    "an upgrade that fails on its way, or that others could not live with, leaves the old version serving" {
        kernel { kernel ->
            val folder = folder()
            kernel.drivers.load(ramDriver(folder), settings = mapOf("keep" to tempdir().path))
            kernel.drivers.load(ramDriver(folder, "over", annotation = """, requires = "ram ^1.0" """))
            val array = kernel.vault("ram:a", "ram:b", "ram:c")
            array.put(ByteArray(4096) { 7 })
            shouldThrow<KernelError.DriverUnusable> {
                kernel.drivers.upgrade("ram", ramDriver(folder, version = "2.0.0"))
            }.why shouldBe "over 1.0.0 requires ram ^1.0"
            val throws = """@Override public void start() { throw new IllegalStateException("no power"); }"""
            shouldThrow<KernelError.DriverUnusable> {
                kernel.drivers.upgrade("ram", ramDriver(folder, version = "1.2.0", body = throws))
            }.why shouldContain "no power"
            val elsewhere = ramDriver(folder, version = "1.3.0", scheme = "rom")
            shouldThrow<KernelError.InUse> { kernel.drivers.upgrade("ram", elsewhere) }.why shouldContain "ram:a"
            kernel.drivers.status("ram")!!.info!!.version.toString() shouldBe "1.0.0"
            array.put(ByteArray(4096) { 8 })
            array.get(4096) shouldBe ByteArray(4096) { 8 }
        }
    }

    "a driver that fails under an array is restarted, and its devices go on" {
        val deadlines = DriverDeadlines(healthInterval = 50.milliseconds)
        kernel(DriverOptions(deadlines = deadlines, crashes = CrashPolicy(first = 10.milliseconds))) { kernel ->
            val sick = """
                @Override public DeviceHealth health() {
                  boolean bad = Boolean.getBoolean("spec.sick");
                  System.clearProperty("spec.sick");
                  return bad ? new DeviceHealth(DeviceHealth.Status.FAILED, "no power") : DeviceHealth.GOOD;
                }
            """
            val keep = tempdir().path
            kernel.drivers.load(ramDriver(folder(), body = sick), settings = mapOf("keep" to keep))
            val array = kernel.vault("ram:a", "ram:b", "ram:c")
            array.put(ByteArray(4096) { 3 })
            val from = kernel.until(Topic.DRIVER_LOADED).last().sequence + 1
            System.setProperty("spec.sick", "true")
            val topics = kernel.until(Topic.DRIVER_FAILED, Topic.DRIVER_LOADED, from = from).map { it.topic }
            topics.filter { it.text.startsWith("driver") } shouldBe listOf(Topic.DRIVER_FAILED, Topic.DRIVER_LOADED)
            array.get(4096) shouldBe ByteArray(4096) { 3 }
            array.put(ByteArray(4096) { 4 })
            array.status.value.health shouldBe ArrayHealth.OPTIMAL
        }
    }

    "a driver that does not stop holds up the end of a kernel no longer than its bound" {
        val hangs = """
            @Override public void stop() { try { Thread.sleep(100000); } catch (InterruptedException e) {} }
        """
        val kernel = ArraywrightKernel.start(KernelOptions(closeWithin = 3.seconds))
        kernel.drivers.load(ramDriver(folder(), body = hangs))
        shouldThrow<KernelError.NotStopped> { kernel.shutdown() }.why shouldBe "the driver ram did not end within 1s"
    }

    "a kernel that is closed while somebody unloads a driver waits for that, and not for who asked for it" {
        val waits = """
            @Override public void stop() {
              try {
                for (int i = 0; i < 3000 && System.getProperty("spec.close.go") == null; i++) Thread.sleep(10);
              } catch (InterruptedException e) { }
            }
        """
        val kernel = ArraywrightKernel.start(KernelOptions(watch = false))
        kernel.drivers.load(ramDriver(folder(), body = waits))
        val closed = CountDownLatch(1)
        try {
            Executors.newSingleThreadExecutor().asCoroutineDispatcher().use { slow ->
                coroutineScope {
                    val unloading = launch(slow) { kernel.drivers.unload("ram") }
                    kernel.drivers.drivers.first { it["ram"]?.state == DriverState.Stopping }
                    // Who unloads has no turn any more until the kernel is closed.
                    launch(slow) { closed.await() }
                    System.setProperty("spec.close.go", "true")
                    try {
                        kernel.shutdown()
                    } finally {
                        closed.countDown()
                    }
                    unloading.join()
                }
            }
        } finally {
            System.clearProperty("spec.close.go")
        }
        kernel.drivers.statistics.running shouldBe 0
    }

    "who waits for a driver that is on its way for ever is told when the kernel is closed" {
        val hangs = """
            @Override public void start() { try { Thread.sleep(100000); } catch (InterruptedException e) {} }
        """
        val kernel = ArraywrightKernel.start(KernelOptions(closeWithin = 1.seconds, watch = false))
        val folder = folder()
        val base = ramDriver(folder, "base", body = hangs)
        val over = ramDriver(folder, "over", annotation = """, requires = "base" """)
        coroutineScope {
            val loads = mutableListOf(async { runCatching { kernel.drivers.load(base) } })
            kernel.drivers.drivers.first { it["base"]?.state == DriverState.Starting }
            loads += async { runCatching { kernel.drivers.load(over) } }
            shouldThrow<KernelError.NotStopped> { kernel.shutdown() }
            withTimeout(30.seconds) { loads.awaitAll() }.forEach {
                it.exceptionOrNull().shouldBeInstanceOf<KernelError.Closed>()
            }
        }
    }

    "a kernel that is closed stops its drivers after its arrays, those first that need others" {
        val order = tempdir().resolve("order")

        fun telling(name: String, stop: String = "") = """
            static void tell(String what) {
              try {
                java.nio.file.Files.writeString(java.nio.file.Path.of("${order.path}"), what + " ",
                    java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.APPEND);
              } catch (java.io.IOException e) { throw new java.io.UncheckedIOException(e); }
            }
            @Override public void stop() { $stop tell("stop-$name"); }
            @Override public void close() { tell("close-$name"); }
        """
        kernel { kernel ->
            val folder = folder()
            kernel.drivers.load(ramDriver(folder, body = telling("ram")))
            // It takes its time, which the other one waits for.
            val slow = telling("over", "try { Thread.sleep(300); } catch (InterruptedException e) {}")
            val over = ramDriver(folder, "over", annotation = """, requires = "ram" """, body = slow)
            kernel.drivers.load(over)
            kernel.vault("ram:a", "ram:b", "over:c")
        }
        order.readText().trim().split(" ") shouldBe listOf("stop-over", "close-over", "stop-ram", "close-ram")
    }
})
