package dev.arraywright.hardware.device.guard

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.testing.FakeDevice
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.matchers.types.shouldBeSameInstanceAs
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import java.nio.ByteBuffer
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

class GuardedDeviceSpec : StringSpec({
    "bytes arrive as written, in one piece or in several, from a buffer whose position stays" {
        Guarded().use { guarded ->
            for (length in listOf(512, 4096, 8192, 40960 + 512)) {
                val source = ByteBuffer.wrap(Random(length).nextBytes(length + 10), 5, length)
                guarded.device.write(source, 1024).result()
                source.position() shouldBe 5
                val target = ByteBuffer.allocateDirect(length)
                guarded.device.read(target, 1024).result()
                target.position() shouldBe 0
                target shouldBe source
            }
        }
    }

    "a stage without a result ends with null, which a Java callback takes for Void" {
        Guarded().use { guarded ->
            val buffer = ByteBuffer.allocate(512)
            for (stage in listOf(
                guarded.device.read(buffer, 0),
                guarded.device.write(buffer, 0),
                guarded.device.flush(),
                guarded.device.discard(0, 512),
                guarded.device.writeZeroes(0, 512),
            )) {
                (stage.result() as Any?) shouldBe null
            }
        }
    }

    "misuse is thrown at once, and a device's failure arrives bare" {
        Guarded().use { guarded ->
            shouldThrow<IllegalArgumentException> { guarded.device.read(ByteBuffer.allocate(512), 1) }
            shouldThrow<IllegalArgumentException> { guarded.device.write(ByteBuffer.allocate(512), SIZE.toLong()) }
            shouldThrow<IllegalArgumentException> {
                guarded.device.read(ByteBuffer.allocate(512).asReadOnlyBuffer(), 0)
            }
            val failure = MediumErrorException("fake", 0, 512, null)
            guarded.fake.failing(FakeDevice.Operation.READ, failure)
            guarded.device.read(ByteBuffer.allocate(512), 0).failure() shouldBeSameInstanceAs failure
        }
    }

    "a read-only device is write-protected" {
        Guarded(FakeDevice("fake", SIZE, 512, true)).use { guarded ->
            guarded.device.write(ByteBuffer.allocate(512), 0).failure().shouldBeInstanceOf<WriteProtectedException>()
            guarded.device.discard(0, 512).failure().shouldBeInstanceOf<WriteProtectedException>()
        }
    }

    "a driver that throws what it must not is taken for a device that is gone" {
        Guarded().use { guarded ->
            val bug = IllegalStateException("bug")
            guarded.fake.faulty { _, _, _ -> throw bug }
            val failure = guarded.device.flush().failure()
            failure.shouldBeInstanceOf<DeviceGoneException>()
            failure.cause shouldBeSameInstanceAs bug
        }
    }

    "past its deadline a call fails, the device is suspect, and good again once it answers" {
        Guarded().use { guarded ->
            val gate = guarded.fake.hanging()
            val hanging = guarded.device.flush()
            gate.awaitArrivals(1)
            guarded.timer.pass(DEADLINE)
            hanging.failure().shouldBeInstanceOf<TimedOutException>()
            guarded.device.health().status() shouldBe DeviceHealth.Status.SUSPECT
            guarded.fake.sound()
            guarded.device.read(ByteBuffer.allocate(512), 0).result()
            guarded.device.health().status() shouldBe DeviceHealth.Status.SUSPECT
            gate.open()
            guarded.eventually { guarded.device.health() == guarded.fake.health() }
        }
    }

    "a late answer does not touch the caller's buffer" {
        Guarded().use { guarded ->
            guarded.device.write(ByteBuffer.wrap(ByteArray(4096) { 1 }), 0).result()
            val gate = guarded.fake.hanging()
            val target = ByteBuffer.allocate(4096)
            val hanging = guarded.device.read(target, 0)
            gate.awaitArrivals(1)
            guarded.timer.pass(DEADLINE)
            hanging.failure().shouldBeInstanceOf<TimedOutException>()
            gate.open()
            guarded.eventually { guarded.fake.busy() == 0 }
            guarded.device.flush().result()
            target.array().all { it == 0.toByte() } shouldBe true
        }
    }

    "a late write writes what the buffer held at the call, whatever the caller puts there since" {
        Guarded().use { guarded ->
            val gate = guarded.fake.hanging()
            val source = ByteBuffer.wrap(ByteArray(4096) { 1 })
            val hanging = guarded.device.write(source, 0)
            gate.awaitArrivals(1)
            guarded.timer.pass(DEADLINE)
            hanging.failure().shouldBeInstanceOf<TimedOutException>()
            source.array().fill(2)
            gate.open()
            guarded.eventually { guarded.fake.busy() == 0 }
            guarded.fake.content().take(4096).toSet() shouldBe setOf<Byte>(1)
        }
    }

    "hanging calls are made up for with fresh threads up to the limit; then calls fail at once" {
        Guarded(limits = LIMITS.copy(threads = 2, hanging = 3)).use { guarded ->
            val gate = guarded.fake.hanging()
            repeat(2) {
                val wave = List(2) { guarded.device.flush() }
                gate.awaitArrivals(2)
                guarded.timer.pass(DEADLINE)
                wave.forEach { it.failure().shouldBeInstanceOf<TimedOutException>() }
            }
            guarded.fake.busy() shouldBe 4
            guarded.device.flush().failure().shouldBeInstanceOf<TimedOutException>()
            guarded.fake.busy() shouldBe 4
            gate.open()
            guarded.eventually { guarded.fake.busy() == 0 }
            guarded.eventually { guarded.device.health() == guarded.fake.health() }
            guarded.device.flush().result()
        }
    }

    "time in the queue counts, and a call that ended there never reaches the device" {
        Guarded(limits = LIMITS.copy(threads = 1, hanging = 0)).use { guarded ->
            val gate = guarded.fake.hanging()
            val first = guarded.device.flush()
            gate.awaitArrivals(1)
            val queued = guarded.device.write(ByteBuffer.wrap(ByteArray(512) { 1 }), 0)
            guarded.timer.pass(DEADLINE)
            queued.failure().shouldBeInstanceOf<TimedOutException>()
            first.failure().shouldBeInstanceOf<TimedOutException>()
            gate.open()
            guarded.eventually { guarded.device.health() == guarded.fake.health() }
            guarded.device.flush().result()
            guarded.fake.content().all { it == 0.toByte() } shouldBe true
        }
    }

    "calls beyond the queue's limit fail at once" {
        Guarded(limits = LIMITS.copy(threads = 1, queued = 3)).use { guarded ->
            val gate = guarded.fake.hanging()
            val calls = List(3) { guarded.device.flush() }
            guarded.device.flush().failure().shouldBeInstanceOf<TimedOutException>()
            gate.open()
            calls.forEach { it.result() }
        }
    }

    "close ends calls in flight, waits for no hanging one, and releases the device with the last of them" {
        val guarded = Guarded()
        val gate = guarded.fake.hanging()
        val hanging = guarded.device.read(ByteBuffer.allocate(512), 0)
        gate.awaitArrivals(1)
        guarded.timer.pass(DEADLINE)
        hanging.failure().shouldBeInstanceOf<TimedOutException>()
        val inTime = guarded.device.flush()
        gate.awaitArrivals(1)
        guarded.device.close()
        inTime.failure().shouldBeInstanceOf<DeviceGoneException>()
        guarded.device.flush().failure().shouldBeInstanceOf<DeviceGoneException>()
        guarded.fake.isClosed shouldBe false
        guarded.pool.inUse() shouldBe LIMITS.bufferBytes
        gate.open()
        guarded.device.released().result()
        guarded.fake.isClosed shouldBe true
        guarded.pool.inUse() shouldBe 0
        guarded.eventually { threadsOf("fake").isEmpty() }
    }

    "close has released the device when it returns, and no thread stays" {
        val guarded = Guarded(FakeDevice("leaky", SIZE))
        List(50) { guarded.device.read(ByteBuffer.allocate(512), 0) }.forEach { it.result() }
        guarded.device.close()
        guarded.fake.isClosed shouldBe true
        guarded.eventually { threadsOf("leaky").isEmpty() }
        threadsOf("leaky").shouldBeEmpty()
    }

    "whoever wins the race of answer, deadline and cancel, the buffer is the caller's once the stage has ended" {
        Guarded().use { guarded ->
            guarded.device.write(ByteBuffer.wrap(ByteArray(32 shl 10) { 1 }), 0).result()
            val executor = Executors.newFixedThreadPool(2)
            val target = ByteBuffer.allocate(32 shl 10)
            repeat(2000) { round ->
                target.array().fill(0)
                val stage = guarded.device.read(target, 0).toCompletableFuture()
                val rival = executor.submit {
                    repeat(round % 50) { Thread.onSpinWait() }
                    if (round % 2 == 0) guarded.timer.pass(DEADLINE) else stage.cancel(false)
                }
                runCatching { stage.get(20, TimeUnit.SECONDS) }
                    .onSuccess { target.array().all { it == 1.toByte() } shouldBe true }
                target.array().fill(2)
                rival.get()
                guarded.eventually { guarded.fake.busy() == 0 }
                target.array().all { it == 2.toByte() } shouldBe true
            }
            executor.shutdown()
        }
    }

    "cancelling an await abandons the call and gives the buffer back" {
        Guarded().use { guarded ->
            guarded.device.write(ByteBuffer.wrap(ByteArray(4096) { 1 }), 0).result()
            val gate = guarded.fake.hanging()
            val target = ByteBuffer.allocate(4096)
            coroutineScope {
                val started = CompletableDeferred<Unit>()
                val reading = launch {
                    val stage = guarded.device.read(target, 0)
                    started.complete(Unit)
                    stage.await()
                }
                started.await()
                gate.awaitArrivals(1)
                reading.cancelAndJoin()
            }
            gate.open()
            guarded.device.flush().result()
            guarded.eventually { guarded.fake.busy() == 0 }
            target.array().all { it == 0.toByte() } shouldBe true
            guarded.device.health() shouldBe guarded.fake.health()
        }
    }

    "a pool without room for the reserve is refused" {
        shouldThrow<IllegalStateException> {
            GuardedDevice(FakeDevice("fake", SIZE), BufferPool(4096), ManualTimer(), LIMITS)
        }
    }
})

private const val SIZE = 1 shl 20
private val DEADLINE = 5.seconds
private val LIMITS = GuardLimits(
    deadline = DEADLINE,
    threads = 4,
    hanging = 2,
    bufferBytes = 64 shl 10,
    transferBytes = 8 shl 10,
)

private class Guarded(val fake: FakeDevice = FakeDevice("fake", SIZE), limits: GuardLimits = LIMITS) : AutoCloseable {
    val timer = ManualTimer()
    val pool = BufferPool(1L shl 20)
    val device = GuardedDevice(fake, pool, timer, limits)

    /** For what another thread is about to do: polls, and fails after 20 s. */
    fun eventually(condition: () -> Boolean) {
        val end = System.nanoTime() + 20.seconds.inWholeNanoseconds
        while (!condition()) {
            check(System.nanoTime() < end) { "did not happen within 20 s" }
            Thread.onSpinWait()
        }
    }

    override fun close() {
        fake.sound()
        device.close()
        device.released().result()
    }
}

private fun threadsOf(id: String) = Thread.getAllStackTraces().keys.filter { it.name.startsWith("device $id ") }

private fun <T> CompletionStage<T>.result(): T? = toCompletableFuture().get(20, TimeUnit.SECONDS)

private fun CompletionStage<*>.failure(): Throwable =
    checkNotNull(shouldThrow<ExecutionException> { toCompletableFuture().get(20, TimeUnit.SECONDS) }.cause)
