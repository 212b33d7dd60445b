package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.eventually
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import java.nio.ByteBuffer
import java.util.concurrent.CompletionStage
import java.util.concurrent.CountDownLatch
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What survives a lost connection and what must not; see [NbdDevice]. */
class NbdReconnectSpec : StringSpec({
    val options =
        NbdClientOptions(connect = 5.seconds, request = 20.seconds, reconnect = 20.seconds, firstRetry = 5.milliseconds)

    fun <T> CompletionStage<T>.get(): T = toCompletableFuture().get(30, TimeUnit.SECONDS)

    fun gone(stage: CompletionStage<*>): DeviceGoneException =
        shouldThrow<ExecutionException> { stage.get() }.cause.shouldBeInstanceOf<DeviceGoneException>()

    fun NbdDevice.readOne() = read(ByteBuffer.allocate(512), 0)

    fun NbdDevice.writeOne() = write(ByteBuffer.allocate(512), 0)

    /** Answers requests well until one of [until] comes, which is not answered. */
    fun ScriptedServer.Peer.serve(until: (Int) -> Boolean = { false }) {
        while (true) {
            val request = request()
            if (request.command == Command.DISC || until(request.command)) return
            simple(request.cookie, 0, if (request.command == Command.READ) ByteArray(512) else ByteArray(0))
        }
    }

    "reads in flight are asked again on the new connection" {
        ScriptedServer { number ->
            negotiate()
            if (number < 2) repeat(3) { request() } else serve()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                val reads = List(3) { device.readOne() }
                reads.forEach { it.get() }
                server.connections.get() shouldBe 3
                device.isOnline shouldBe true
                device.health() shouldBe DeviceHealth.GOOD
            }
        }
    }

    "after a flush everything is safe, and the device comes back" {
        ScriptedServer { number ->
            negotiate()
            if (number == 0) serve(until = { it == Command.READ }) else serve()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                device.writeOne().get()
                device.flush().get()
                device.readOne().get()
                device.writeOne().get()
                server.connections.get() shouldBe 2
            }
        }
    }

    "a write acknowledged and not flushed, and the connection lost: gone" {
        ScriptedServer {
            negotiate()
            serve(until = { it == Command.READ })
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                device.writeOne().get()
                gone(device.readOne()).message shouldContain "not flushed"
                device.isOnline shouldBe false
                device.health().status() shouldBe DeviceHealth.Status.FAILED
                server.connections.get() shouldBe 1
            }
        }
    }

    "a write acknowledged while a flush was under way is not covered by it" {
        val flushSeen = CountDownLatch(1)
        ScriptedServer {
            negotiate()
            val flush = request()
            flushSeen.countDown()
            simple(request().cookie)
            simple(flush.cookie)
            request()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                val flush = device.flush()
                flushSeen.await()
                device.writeOne().get()
                flush.get()
                gone(device.readOne())
            }
        }
    }

    "a write in flight and the connection lost: gone, as its first copy may still be on its way" {
        for (command in listOf(Command.WRITE, Command.TRIM, Command.WRITE_ZEROES)) {
            ScriptedServer {
                negotiate()
                serve(until = { it == command })
            }.use { server ->
                NbdDevice.open(server.address, options = options).use { device ->
                    val stage = when (command) {
                        Command.WRITE -> device.writeOne()
                        Command.TRIM -> device.discard(0, 512)
                        else -> device.writeZeroes(0, 512)
                    }
                    gone(stage)
                    server.connections.get() shouldBe 1
                }
            }
        }
    }

    "without FLUSH each write carries FUA, and is safe once it is answered" {
        val flags = Nbd.Can.HAS_FLAGS or Nbd.Can.FUA
        ScriptedServer { number ->
            negotiate(flags = flags)
            if (number == 0) {
                val write = request()
                write.flags shouldBe Nbd.CommandFlag.FUA
                simple(write.cookie)
                request()
            } else {
                serve()
            }
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                device.writeOne().get()
                device.flush().get()
                device.readOne().get()
                server.connections.get() shouldBe 2
            }
        }
    }

    "an export that comes back with another size, or less able, is not the same device" {
        for ((size, flags) in listOf((2L shl 20) to 0x6d, (1L shl 20) to 0x2d)) {
            ScriptedServer { number ->
                if (number == 0) negotiate() else negotiate(size, flags)
                request()
            }.use { server ->
                NbdDevice.open(server.address, options = options).use { device ->
                    gone(device.readOne()).message shouldContain "the export changed"
                }
            }
        }
    }

    "a server that stays away is gone after the time to reconnect" {
        val server = ScriptedServer {
            negotiate()
            request()
        }
        NbdDevice.open(server.address, options = options.copy(reconnect = 300.milliseconds)).use { device ->
            server.close()
            gone(device.readOne()).message shouldContain "not reached again"
        }
    }

    "a server that is shutting down is left, and found again" {
        ScriptedServer { number ->
            negotiate()
            if (number == 0) simple(request().cookie, Nbd.Errno.ESHUTDOWN) else serve()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                device.readOne().get()
                server.connections.get() shouldBe 2
            }
        }
    }

    "requests made while the connection is down wait for it" {
        val back = CountDownLatch(1)
        ScriptedServer { number ->
            if (number > 0) back.await()
            negotiate()
            if (number > 0) serve()
        }.use { server ->
            NbdDevice.open(server.address, options = options).use { device ->
                eventually { device.health().status() shouldBe DeviceHealth.Status.SUSPECT }
                val write = device.writeOne()
                val read = device.readOne()
                back.countDown()
                write.get()
                read.get()
            }
        }
    }
})
