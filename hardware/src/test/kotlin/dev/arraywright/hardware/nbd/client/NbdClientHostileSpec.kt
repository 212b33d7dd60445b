package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.eventually
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Chunk
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import java.util.concurrent.CompletionStage
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class NbdClientHostileSpec : StringSpec({
    val options =
        NbdClientOptions(connect = 1.seconds, request = 5.seconds, reconnect = 1.seconds, firstRetry = 10.milliseconds)
    val impatient = options.copy(request = 200.milliseconds)

    fun failure(stage: CompletionStage<*>): Throwable =
        shouldThrow<ExecutionException> { stage.toCompletableFuture().get(30, TimeUnit.SECONDS) }.cause!!

    fun refused(script: ScriptedServer.Peer.() -> Unit): DriverException = ScriptedServer { script() }.use {
        shouldThrow<DriverException> { NbdDevice.open(it.address, options = options) }
    }

    afterEach {
        eventually { Thread.getAllStackTraces().keys.filter { it.name.startsWith("nbd-") }.shouldBeEmpty() }
    }

    "nonsense in the handshake is an error in words, never a hang" {
        refused { send(64) { put(ByteArray(64) { 'x'.code.toByte() }) } }.message shouldContain "no NBD server"
        refused {
            send(152) { putLong(Nbd.INIT_MAGIC).putLong(0x00420281861253).putLong(4096) }
        }.reason() shouldBe Reason.UNSUPPORTED
        refused { greet() }.reason() shouldBe Reason.UNREACHABLE
        refused { listen() }.message shouldContain "no answer in time"
        refused {
            greet()
            optionReply(option(), Nbd.Rep.SERVER, length = Int.MAX_VALUE)
            listen()
        }.reason() shouldBe Reason.FAILED
        refused {
            greet()
            val option = option()
            repeat(10_000) { optionReply(option, Nbd.Rep.SERVER, ByteArray(8)) }
        }.reason() shouldBe Reason.FAILED
        refused { negotiate(size = -1) }.reason() shouldBe Reason.FAILED
        refused { negotiate(flags = 0) }.reason() shouldBe Reason.FAILED
    }

    "a read-only export is refused for writing, and one that cannot make writes safe as well" {
        refused { negotiate(flags = 3) }.reason() shouldBe Reason.READ_ONLY
        val error = refused { negotiate(flags = 1) }
        error.reason() shouldBe Reason.UNSUPPORTED
        error.message shouldContain "neither FLUSH nor FUA"
    }

    "random bytes for replies end the device or time out, and touch no byte outside the buffer" {
        for (seed in 1L..60L) {
            val random = Random(seed)
            val structured = random.nextBoolean()
            ScriptedServer { number ->
                negotiate(structured = structured)
                val cookie = request().cookie
                when (random.nextInt(4)) {
                    0 -> send(512) { put(random.nextBytes(512)) }
                    1 -> chunk(
                        cookie,
                        random.nextInt(8),
                        random.nextInt(2),
                        random.nextBytes(random.nextInt(64)),
                        random.nextInt(),
                    )
                    2 -> chunk(
                        cookie,
                        Chunk.OFFSET_DATA,
                        1,
                        ByteBuffer.allocate(300).putLong(random.nextLong(0, 4096)).array(),
                    )
                    else -> simple(
                        cookie + random.nextInt(2),
                        random.nextInt(3),
                        random.nextBytes(random.nextInt(2048)),
                    )
                }
                if (number > 0 || random.nextBoolean()) listen()
            }.use { server ->
                NbdDevice.open(server.address, options = impatient).use { device ->
                    val around = ByteBuffer.allocate(1024 + 32)
                    val stage = device.read(around.slice(16, 1024), 0)
                    withClue("seed $seed") {
                        stage.handle { _, e -> (e == null || e is DeviceIoException) shouldBe true }
                            .toCompletableFuture().get(30, TimeUnit.SECONDS)
                        for (at in (0 until 16) + (1040 until 1056)) around.get(at) shouldBe 0
                    }
                }
            }
        }
    }

    "chunks that overlap, leave a gap, or lie outside the request end the device" {
        fun data(offset: Long, count: Int) = ByteBuffer.allocate(8 + count).putLong(offset).array()
        val wrong = mapOf(
            "overlap" to listOf(data(0, 512), data(256, 768)),
            "gap" to listOf(data(0, 256), data(512, 512)),
            "twice" to listOf(data(0, 1024), data(0, 1024)),
            "outside" to listOf(data(512, 1024)),
            "before" to listOf(data(-512, 512)),
        )
        for ((what, chunks) in wrong) {
            ScriptedServer {
                negotiate(structured = true)
                val cookie = request().cookie
                chunks.forEach { chunk(cookie, Chunk.OFFSET_DATA, 0, it) }
                chunk(cookie, Chunk.NONE, Chunk.FLAG_DONE, ByteArray(0))
                listen()
            }.use { server ->
                NbdDevice.open(server.address, options = options).use { device ->
                    withClue(what) {
                        failure(device.read(ByteBuffer.allocate(1024), 0)).message shouldContain "broke the protocol"
                        device.isOnline shouldBe false
                    }
                }
            }
        }
    }

    "chunks in any order, with holes among them, make the read" {
        ScriptedServer {
            negotiate(structured = true)
            val cookie = request().cookie
            chunk(
                cookie,
                Chunk.OFFSET_DATA,
                0,
                ByteBuffer.allocate(8 + 512).putLong(1024).array().also {
                    it.fill(7, 8)
                },
            )
            chunk(cookie, Chunk.OFFSET_HOLE, 0, ByteBuffer.allocate(12).putLong(512).putInt(512).array())
            chunk(
                cookie,
                Chunk.OFFSET_DATA,
                Chunk.FLAG_DONE,
                ByteBuffer.allocate(8 + 512).putLong(0).array().also {
                    it.fill(5, 8)
                },
            )
            listen()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                val target = ByteBuffer.allocate(1536).also { it.array().fill(1) }
                device.read(target, 0).toCompletableFuture().get(30, TimeUnit.SECONDS)
                target.array() shouldBe ByteArray(512) { 5 } + ByteArray(512) + ByteArray(512) { 7 }
            }
        }
    }

    "errors of the server are failures of their kind, and the device works on" {
        ScriptedServer {
            negotiate()
            simple(request().cookie, Nbd.Errno.EIO)
            simple(request().cookie, Nbd.Errno.ENOSPC)
            simple(request().cookie, Nbd.Errno.EPERM)
            simple(request().cookie, 12345)
            simple(request().cookie, 0, ByteArray(512) { 3 })
            listen()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                fun read() = device.read(ByteBuffer.allocate(512), 512)

                fun write() = device.write(ByteBuffer.allocate(512), 0)
                (failure(read()) as MediumErrorException).offset() shouldBe 512
                (failure(write()) is OutOfSpaceException) shouldBe true
                (failure(write()) is WriteProtectedException) shouldBe true
                failure(read()).cause!!.message shouldContain "12345"
                read().toCompletableFuture().get(30, TimeUnit.SECONDS)
            }
        }
    }

    "a request without an answer times out, its late answer is dropped, and the device works on" {
        ScriptedServer {
            negotiate()
            val late = request().cookie
            val second = request().cookie
            simple(second, 0, ByteArray(512) { 2 })
            simple(late, 0, ByteArray(512) { 1 })
            simple(request().cookie, 0, ByteArray(512) { 3 })
            listen()
        }.use { server ->
            NbdDevice.open(server.address, options = impatient).use { device ->
                val first = ByteBuffer.allocate(512)
                (failure(device.read(first, 0)) is TimedOutException) shouldBe true
                val third = ByteBuffer.allocate(512)
                device.read(ByteBuffer.allocate(512), 0).toCompletableFuture().get(30, TimeUnit.SECONDS)
                device.read(third, 0).toCompletableFuture().get(30, TimeUnit.SECONDS)
                third.get(0) shouldBe 3
                first.get(0) shouldBe 0
                server.connections.get() shouldBe 1
            }
        }
    }

    "an answer that stops half way times out, and the buffer is left alone from then on" {
        ScriptedServer { number ->
            negotiate()
            val cookie = request().cookie
            if (number == 0)
                send(16 + 100) {
                    putInt(Nbd.SIMPLE_REPLY_MAGIC).putInt(0).putLong(cookie).put(ByteArray(100) { 9 })
                }
            if (number > 0) simple(cookie, 0, ByteArray(512) { 4 })
            listen()
        }.use { server ->
            NbdDevice.open(server.address, options = impatient).use { device ->
                (failure(device.read(ByteBuffer.allocate(512), 0)) is TimedOutException) shouldBe true
                device.read(ByteBuffer.allocate(512), 0).toCompletableFuture().get(30, TimeUnit.SECONDS)
                server.connections.get() shouldBe 2
            }
        }
    }

    "a server that says nothing at all any more is left for a new connection" {
        ScriptedServer { number ->
            negotiate()
            if (number == 0) listen() else simple(request().cookie, 0, ByteArray(512) { 4 })
            listen()
        }.use { server ->
            NbdDevice.open(server.address, options = impatient).use { device ->
                (failure(device.read(ByteBuffer.allocate(512), 0)) is TimedOutException) shouldBe true
                eventually { server.connections.get() shouldBe 2 }
                device.read(ByteBuffer.allocate(512), 0).toCompletableFuture().get(30, TimeUnit.SECONDS)
            }
        }
    }

    "cancelling a request gives its buffer back and drops the answer" {
        // A request that is cancelled before it was sent is never sent, and needs no answer to drop.
        val received = CountDownLatch(1)
        val go = CountDownLatch(1)
        ScriptedServer {
            negotiate()
            val cookie = request().cookie
            received.countDown()
            go.await()
            simple(cookie, 0, ByteArray(512) { 1 })
            simple(request().cookie, 0, ByteArray(512) { 2 })
            listen()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                val given = ByteBuffer.allocate(512)
                val reading = device.read(given, 0).toCompletableFuture()
                received.await(30, TimeUnit.SECONDS) shouldBe true
                reading.cancel(true) shouldBe true
                go.countDown()
                val next = ByteBuffer.allocate(512)
                device.read(next, 0).toCompletableFuture().get(30, TimeUnit.SECONDS)
                next.get(0) shouldBe 2
                given.get(0) shouldBe 0
            }
        }
    }

    "close ends what is in flight, at once" {
        ScriptedServer {
            negotiate()
            listen()
        }.use { server ->
            val device = NbdDevice.open(server.address, options = options)
            val reading = device.read(ByteBuffer.allocate(512), 0)
            device.close()
            (failure(reading) is DeviceGoneException) shouldBe true
            (failure(device.read(ByteBuffer.allocate(512), 0)) is DeviceGoneException) shouldBe true
        }
    }
})
