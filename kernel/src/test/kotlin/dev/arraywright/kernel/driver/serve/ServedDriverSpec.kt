package dev.arraywright.kernel.driver.serve

import dev.arraywright.hardware.memory.BorrowedBuffers
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.kernel.driver.isolate.DriverLoader
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.kernel.driver.isolate.leak.LeakPatience
import dev.arraywright.kernel.driver.lifecycle.InstanceBuffers
import dev.arraywright.kernel.driver.lifecycle.IsolatedInstance
import dev.arraywright.kernel.driver.ramDriver
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.memory.BufferAllocator
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import java.nio.ByteBuffer
import java.nio.file.Path
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

class ServedDriverSpec : StringSpec({
    val folder = tempdir().toPath()
    val loader = DriverLoader()
    val context = object : DriverContext {
        override fun settings() = emptyMap<String, String>()

        override fun buffers(): BufferAllocator = error("no buffers here")

        override fun logger(): System.Logger = System.getLogger("spec")
    }

    suspend fun instance(jar: Path = ramDriver(folder)): IsolatedInstance {
        val loaded = loader.load(jar, "org.example.Ram")
        val buffers = InstanceBuffers("ram", BorrowedBuffers(BufferPool(4096)))
        return IsolatedInstance("ram", loaded, LeakPatience(), buffers).also { it.initialize(context, 5.seconds) }
    }

    suspend fun IsolatedInstance.ended(): LeakOutcome {
        close(5.seconds)
        release()
        return gone()
    }

    fun address(name: String) = StorageAddress.parse("ram:$name")

    "whoever keeps a closed device, and all that it threw, keeps nothing of the driver" {
        val served = ServedDriver("ram", DriverMeter(TimeSource.Monotonic)) {}
        val kept = mutableListOf<Any>(served)
        val by = instance()
        served.serve(by)
        val device: BlockDevice = served.open(address("odd"), OpenOptions.DEFAULT)
        kept += device
        kept += shouldThrow<DeviceGoneException> { device.read(ByteBuffer.allocate(512), 12L shl 20) }
        kept += shouldThrow<DriverException> { served.open(address("bad"), OpenOptions.DEFAULT) }
        val thrown = kept.filterIsInstance<Throwable>()
        thrown[0].message shouldContain "odd bytes"
        thrown[1].message shouldContain "nobody made bad"
        generateSequence<Throwable>(thrown[1]) { it.cause }.last().message shouldContain "org.example.Ram.open"
        device.close()
        device.isOnline shouldBe false
        kept += shouldThrow<DeviceGoneException> { device.read(ByteBuffer.allocate(512), 0) }
        served.devices shouldBe 0
        served.refuse("it is unloaded")
        by.ended() shouldBe LeakOutcome.Collected
        shouldThrow<DriverException> { served.open(address("a"), OpenOptions.DEFAULT) }.message shouldContain
            "it is unloaded"
        kept.size shouldBe 5
    }

    "what an instance opens after its time is closed, even if another one serves by then" {
        val waits = """
            System.setProperty("spec.open.begun", "true");
            try {
              for (int i = 0; i < 3000 && System.getProperty("spec.open.go") == null; i++) Thread.sleep(10);
            } catch (InterruptedException e) { }
        """
        val served = ServedDriver("ram", DriverMeter(TimeSource.Monotonic)) {}
        val late = instance(ramDriver(folder, opening = waits, file = "late.jar"))
        val next = instance()
        try {
            withContext(Dispatchers.Default) {
                served.serve(late)
                val opening = async { runCatching { served.open(address("a"), OpenOptions.DEFAULT) } }
                withTimeout(60.seconds) { while (System.getProperty("spec.open.begun") == null) yield() }
                served.refuse("it failed")
                served.serve(next)
                System.setProperty("spec.open.go", "true")
                shouldThrow<DriverException> { opening.await().getOrThrow() }.message shouldContain
                    "went while it opened ram:a"
            }
        } finally {
            System.clearProperty("spec.open.begun")
            System.clearProperty("spec.open.go")
        }
        served.devices shouldBe 0
        served.open(address("a"), OpenOptions.DEFAULT).close()
        served.refuse("it is unloaded")
        late.ended() shouldBe LeakOutcome.Collected
        next.ended() shouldBe LeakOutcome.Collected
    }

    "opens, calls and errors are counted, and each change of the open devices is told" {
        val meter = DriverMeter(TimeSource.Monotonic)
        var changes = 0
        val served = ServedDriver("ram", meter) { changes++ }
        val by = instance()
        served.serve(by)
        val devices = List(2) { served.open(address("d$it"), OpenOptions.DEFAULT) } +
            served.open(address("odd"), OpenOptions.DEFAULT)
        changes shouldBe 3
        repeat(5) { devices[0].write(ByteBuffer.allocate(4096), 0) }
        devices[1].flush()
        runCatching { devices[2].read(ByteBuffer.allocate(512), 12L shl 20) }
        with(meter.figures) {
            listOf(opens, calls, errors) shouldBe listOf(3L, 7L, 1L)
            (meanLatency <= maxLatency && p50 <= p99 && p99 <= maxLatency && p50.isPositive()) shouldBe true
        }
        served.refuseUnlessUsed("no more") shouldBe false
        devices[0].close()
        changes shouldBe 4
        served.end(by, 5.seconds)
        served.devices shouldBe 0
        devices[1].isOnline shouldBe false
        served.refuseUnlessUsed("no more") shouldBe true
        by.ended() shouldBe LeakOutcome.Collected
    }
})
