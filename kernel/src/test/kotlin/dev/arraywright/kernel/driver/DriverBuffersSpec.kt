package dev.arraywright.kernel.driver

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.driver.isolate.leak.LeakPatience
import dev.arraywright.kernel.driver.lifecycle.DriverDeadlines
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.kernelModules
import dev.arraywright.kernel.spare.until
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import org.koin.dsl.koinApplication
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import kotlin.io.path.div
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Buffers that drivers of real jars take, and do not give back. */
class DriverBuffersSpec : StringSpec({
    suspend fun kernel(
        options: DriverOptions = DriverOptions(),
        test: suspend (kernel: ArraywrightKernel, pool: BufferPool) -> Unit,
    ) {
        val host = koinApplication { modules(kernelModules(KernelOptions(drivers = options, watch = false))) }
        try {
            test(host.koin.get<ArraywrightKernel>(), host.koin.get<BufferPool>())
        } finally {
            host.close()
        }
    }

    fun hoard(body: String): Path {
        val members = """
            dev.arraywright.spi.memory.BufferAllocator buffers;
            List<dev.arraywright.spi.memory.BufferAllocator.Lease> kept = new ArrayList<>();
            @Override public void initialize(DriverContext context) { buffers = context.buffers(); }
            void take(int... sizes) {
              try {
                for (int size : sizes) kept.add(buffers.acquire(size));
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            }
            $body
        """
        val source = driverSource("org.example.Hoard", body = members)
        return DriverJar().source("org.example.Hoard", source).writeTo(tempdir().toPath() / "hoard.jar")
    }

    suspend fun DriverHandle.end(): DriverState =
        withTimeout(60.seconds) { state.first { it is DriverState.Leaked || it == DriverState.Unloaded } }

    "what a driver does not give back is told when it is unloaded, and is the pool's again once it is gone" {
        kernel { kernel, pool ->
            val before = pool.inUse()
            val handle = kernel.drivers.load(
                hoard("""@Override public void start() { take(65536, 40000, 65536, 4096); kept.get(3).close(); }"""),
            )
            pool.inUse() - before shouldBe (192 shl 10)
            kernel.drivers.unload("hoard")
            kernel.until(Topic.DRIVER_UNLOAD_FAILED).last().occurrence.cause shouldBe
                "it did not give back 3 buffers (192 KiB)"
            handle.end() shouldBe DriverState.Unloaded
            pool.inUse() shouldBe before
        }
    }

    "one that gives back all it took has no such trouble" {
        kernel { kernel, pool ->
            val before = pool.inUse()
            val handle = kernel.drivers.load(
                hoard(
                    """
                    @Override public void start() { take(9000); }
                    @Override public void close() { kept.forEach(lease -> lease.close()); }
                    """,
                ),
            )
            kernel.drivers.unload("hoard")
            handle.end() shouldBe DriverState.Unloaded
            kernel.until(Topic.DRIVER_UNLOADED).none { it.topic == Topic.DRIVER_UNLOAD_FAILED } shouldBe true
            pool.inUse() shouldBe before
        }
    }

    "what a thread that stays may write to is out of use for good, and it is lent no more" {
        val gate = CountDownLatch(1)
        val done = CountDownLatch(1)
        System.getProperties()["hoard.gate"] = gate
        System.getProperties()["hoard.done"] = done
        try {
            kernel(DriverOptions(leakPatience = LeakPatience(2, 1.milliseconds))) { kernel, pool ->
                val before = pool.inUse()
                val handle = kernel.drivers.load(
                    hoard(
                        """
                        @Override public void start() {
                          take(65536, 65536);
                          // No reference to the buffer that it is of.
                          var segment = java.lang.foreign.MemorySegment.ofBuffer(kept.remove(1).buffer());
                          Thread thread = new Thread(() -> {
                            var latch = (java.util.concurrent.CountDownLatch) System.getProperties().get("hoard.gate");
                            var after = (java.util.concurrent.CountDownLatch) System.getProperties().get("hoard.done");
                            while (true) { try { latch.await(); break; } catch (InterruptedException e) { } }
                            for (int i = 0; i < 65536; i++) kept.get(0).buffer().put(i, (byte) 7);
                            segment.fill((byte) 7);
                            try { take(1); } catch (RuntimeException e) { System.setProperty("hoard.said", "" + e); }
                            after.countDown();
                          });
                          thread.setDaemon(true);
                          thread.start();
                        }
                        """,
                    ),
                )
                kernel.drivers.unload("hoard")
                val leaked = handle.end() as DriverState.Leaked
                leaked.report.lines().last() shouldBe "  kept out of use: 2 buffers (128 KiB)"
                pool.inUse() - before shouldBe (128 shl 10)
                val others = List(20) { pool.acquire(65536) }
                gate.countDown()
                done.await()
                others.all { lease -> (0..<65536).none { lease.buffer().get(it) == 7.toByte() } } shouldBe true
                System.getProperty("hoard.said") shouldContain "the driver hoard is unloaded"
                others.forEach { it.close() }
            }
        } finally {
            gate.countDown()
            listOf("hoard.gate", "hoard.done", "hoard.said").forEach(System.getProperties()::remove)
        }
    }

    "a driver that fails on its way up leaves nothing taken" {
        kernel { kernel, pool ->
            val before = pool.inUse()
            val jar = hoard("""@Override public void start() { take(65536); throw new IllegalStateException("no"); }""")
            shouldThrow<KernelError.DriverUnusable> { kernel.drivers.load(jar) }
            eventually(30.seconds) { pool.inUse() shouldBe before }
        }
    }

    "a driver has half of the pool at most, or what is configured, and the others have the rest" {
        val body = """
            @Override public void start() {
              take(65536, 65536);
              if (buffers.tryAcquire(1) == null) throw new IllegalStateException("no more than " + buffers.limit());
              take(1);
            }
        """
        kernel(DriverOptions(maxBuffers = 128L shl 10)) { kernel, _ ->
            shouldThrow<KernelError.DriverUnusable> { kernel.drivers.load(hoard(body)) }.why shouldContain
                "no more than 131072"
        }
        kernel { kernel, pool ->
            kernel.drivers.load(hoard(body)).state.value shouldBe DriverState.Running
            val limit = """
                @Override public void start() { throw new IllegalStateException("at " + buffers.limit()); }
            """
            kernel.drivers.unload("hoard")
            shouldThrow<KernelError.DriverUnusable> { kernel.drivers.load(hoard(limit)) }.why shouldContain
                "at ${pool.limit() / 2}"
        }
        val deadlines = DriverDeadlines(start = 2.seconds)
        kernel(DriverOptions(maxBuffers = 4096, deadlines = deadlines)) { kernel, _ ->
            val waits = hoard("@Override public void start() { take(1, 1); }")
            shouldThrow<KernelError.DriverUnusable> { kernel.drivers.load(waits) }.why shouldNotContain "unloaded"
        }
    }
})
