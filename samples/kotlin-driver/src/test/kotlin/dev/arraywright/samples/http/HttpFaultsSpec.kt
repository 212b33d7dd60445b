package dev.arraywright.samples.http

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.driver.OpenOptions
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import java.nio.ByteBuffer
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

private const val SIZE = 1 shl 20

class HttpFaultsSpec : StringSpec({
    "500s, broken-off bodies and closed connections are asked again" {
        serving { server ->
            server.open().use { device ->
                server.faults += listOf(ObjectServer.status(500), ObjectServer.truncated, ObjectServer.status(503), {})
                device.bytes(0, 4096) shouldBe server.bytes.copyOf(4096)
                server.faults.size shouldBe 0
            }
        }
    }

    "a write whose answer is lost is found to be done, and not taken for somebody else's" {
        serving { server ->
            server.open().use { device ->
                val lost = AtomicInteger()
                server.faults += { exchange ->
                    // The server does it, says so to nobody, and has a new tag.
                    val body = exchange.requestBody.readAllBytes()
                    body.copyInto(server.bytes, 512)
                    server.touch()
                    lost.incrementAndGet()
                }
                device.write(ByteBuffer.wrap(ByteArray(512) { 9 }), 512)
                lost.get() shouldBe 1
                device.bytes(512, 512) shouldBe ByteArray(512) { 9 }
                device.write(ByteBuffer.wrap(ByteArray(512) { 8 }), 0)
                device.bytes(0, 512) shouldBe ByteArray(512) { 8 }
            }
        }
    }

    "an object that somebody else changes is gone, and says why" {
        serving { server ->
            server.open().use { device ->
                server.change()
                shouldThrow<DeviceGoneException> { device.bytes(0, 512) }
                device.isOnline shouldBe false
                device.health().status() shouldBe DeviceHealth.Status.FAILED
                shouldThrow<DeviceGoneException> { device.write(ByteBuffer.allocate(512), 0) }
            }
        }
    }

    "a server that takes a part for the whole is stopped at its first write" {
        serving { server ->
            server.open().use { device ->
                server.partialPut = false
                shouldThrow<DeviceGoneException> { device.write(ByteBuffer.allocate(512), 0) }
                device.isOnline shouldBe false
            }
        }
    }

    "a server that refuses to write makes it write-protected, and it can still be read" {
        serving { server ->
            server.open().use { device ->
                server.faults += ObjectServer.status(405)
                shouldThrow<WriteProtectedException> { device.write(ByteBuffer.allocate(512), 0) }
                device.bytes(0, 512) shouldBe server.bytes.copyOf(512)
            }
        }
    }

    "a server that is gone is a missed deadline, and the device is back with it" {
        serving { server ->
            server.open(OpenOptions.DEFAULT, "timeout" to "300ms").use { device ->
                val gate = CountDownLatch(1)
                server.hold = { gate.await(20, TimeUnit.SECONDS) }
                shouldThrow<TimedOutException> { device.bytes(0, 512) }
                device.isOnline shouldBe true
                server.hold = {}
                gate.countDown()
                device.bytes(0, 512) shouldBe server.bytes.copyOf(512)
                server.close()
                shouldThrow<TimedOutException> { device.bytes(0, 512) }
            }
        }
    }

    "closing ends a call that hangs" {
        serving { server ->
            val gate = CountDownLatch(1)
            val arrived = CountDownLatch(1)
            val device = server.open(OpenOptions.DEFAULT, "timeout" to "1h")
            server.hold = {
                arrived.countDown()
                gate.await(20, TimeUnit.SECONDS)
            }
            val closer = thread {
                arrived.await()
                device.close()
            }
            shouldThrow<DeviceGoneException> { device.bytes(0, 512) }
            closer.join()
            gate.countDown()
        }
    }

    "large reads are split, and no more requests than allowed are under way" {
        serving(8 * SIZE) { server ->
            server.open(OpenOptions.READ_ONLY, "concurrency" to "3").use { device ->
                val now = AtomicInteger()
                val most = AtomicInteger()
                server.hold = { most.accumulateAndGet(now.incrementAndGet(), ::maxOf) }
                server.answered = { now.decrementAndGet() }
                device.bytes(0, 8 * SIZE) shouldBe server.bytes
                most.get() shouldBeLessThanOrEqual 3
                server.requests.get() shouldBe 9
            }
        }
    }

    "servers without ranges, without an answer, and with odd objects are refused by their reason" {
        val refusals = mapOf<Reason, (ObjectServer) -> Unit>(
            Reason.UNSUPPORTED to { it.ranges = false },
            Reason.INVALID to { it.bytes = ByteArray(1000) },
            Reason.NO_PERMISSION to { it.faults += ObjectServer.status(403) },
            Reason.NOT_FOUND to { it.faults += ObjectServer.status(410) },
            Reason.UNREACHABLE to { it.close() },
        )
        for ((reason, trouble) in refusals) {
            serving { server ->
                trouble(server)
                val refusal = shouldThrow<DriverException> { server.open(OpenOptions.DEFAULT, "timeout" to "1s") }
                refusal.reason() shouldBe reason
            }
        }
    }

    "without leave to write it is opened for reading only" {
        serving { server ->
            val refusal = shouldThrow<DriverException> { server.open(OpenOptions.DEFAULT, "writes" to "never") }
            refusal.reason() shouldBe Reason.READ_ONLY
            server.open(OpenOptions.READ_ONLY, "writes" to "never").close()
        }
    }

    "objects without tags work, too" {
        serving { server ->
            server.tags = false
            server.open().use { device ->
                device.write(ByteBuffer.wrap(ByteArray(512) { 7 }), 1024)
                device.bytes(1024, 512) shouldBe ByteArray(512) { 7 }
            }
        }
    }
})

private fun serving(size: Int = SIZE, block: (ObjectServer) -> Unit) = ObjectServer(size).use(block)

private fun BlockDevice.bytes(offset: Long, length: Int): ByteArray =
    ByteArray(length).also { read(ByteBuffer.wrap(it), offset) }
