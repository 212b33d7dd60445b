package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.RawClient
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.eventually
import dev.arraywright.hardware.nbd.wire.GoOption
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.NbdRequest
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import java.io.IOException
import java.nio.ByteBuffer
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class NbdServerHostileSpec : StringSpec({
    val buffers = CountingBuffers()
    val limits = NbdLimits(
        connections = 4,
        requests = 8,
        connectionBytes = 256 shl 10,
        totalBytes = 512 shl 10,
        maxPayload = 1 shl 16,
        handshake = 1.seconds,
        stall = 1.seconds,
        grace = 1.seconds,
    )
    lateinit var device: StrictMemory
    lateinit var server: NbdServer

    beforeEach {
        device = StrictMemory(1 shl 20)
        server = NbdServer.start(NbdEndpoint.Tcp(port = 0), limits, buffers)
        server.export(NbdExport("disk", device))
    }
    afterEach {
        server.close()
        eventually { buffers.inUse() shouldBe 0 }
        buffers.peak shouldBeLessThanOrEqual limits.totalBytes
    }

    fun isServing(witness: RawClient): Boolean {
        witness.request(Command.READ, 0, 512, cookie = 99)
        return witness.chunk().cookie == 99L
    }

    "no stream of bytes stops the server, harms another connection or takes memory without bound" {
        val witness = RawClient(server).go()
        for (seed in 1L..150L) {
            attack(server, Random(seed))
            withClue("seed $seed") { isServing(witness) shouldBe true }
        }
        witness.close()
        eventually { server.connections.value.shouldBeEmpty() }
    }

    "a client that says nothing is sent away by the handshake's deadline" {
        RawClient(server).use { client ->
            client.greet()
            client.isHungUp() shouldBe true
        }
    }

    "half a request, and a payload that stops, cost the connection and give back the memory" {
        for (sent in listOf(7, NbdRequest.BYTES, NbdRequest.BYTES + 100)) {
            RawClient(server).go().use { client ->
                val request = ByteBuffer.allocate(NbdRequest.BYTES + 4096)
                NbdRequest(0, Command.WRITE, 1, 0, 4096).encode(request)
                client.send(request.position(sent))
                client.isHungUp() shouldBe true
            }
            eventually { buffers.inUse() shouldBe 0 }
        }
        device.content()[0] shouldBe 0
    }

    "a client that is merely idle stays" {
        RawClient(server).go().use { idle ->
            RawClient(server).use { silent ->
                silent.greet()
                silent.isHungUp() shouldBe true
            }
            isServing(idle) shouldBe true
        }
    }

    "an idle limit, where one is set, ends idle clients" {
        val strict = NbdServer.start(NbdEndpoint.Tcp(port = 0), limits.copy(idle = 200.milliseconds), buffers)
        strict.use {
            it.export(NbdExport("disk", device))
            RawClient(it).go().use { client -> client.isHungUp() shouldBe true }
        }
    }

    "a client that does not read its replies is sent away, and takes no more than its share meanwhile" {
        RawClient(server).go().use { greedy ->
            greedy.channel.setOption(java.net.StandardSocketOptions.SO_RCVBUF, 4096)
            repeat(2000) { greedy.request(Command.READ, 0, 1 shl 16, cookie = it.toLong()) }
            RawClient(server).go().use { isServing(it) shouldBe true }
            // By the server: the client does not close yet.
            eventually { server.connections.value.shouldBeEmpty() }
        }
    }

    "a device that hangs stops the reading of the socket at the connection's share" {
        device.hold()
        RawClient(server).go().use { client ->
            val sender = Thread.ofVirtual().start {
                try {
                    repeat(10_000) { client.write(0, ByteArray(1 shl 16), cookie = it.toLong()) }
                } catch (_: IOException) {
                    // The end of the spec.
                }
            }
            eventually { device.waiting shouldBe 4 }
            buffers.inUse() shouldBe 4 * (1 shl 16)
            sender.isAlive shouldBe true
        }
        device.release()
    }

    "clients over the limit are turned away, and let in when there is room" {
        val four = List(4) { RawClient(server).go() }
        RawClient(server).use { it.isHungUp() shouldBe true }
        four[0].close()
        eventually { server.connections.value.size shouldBe 3 }
        eventually { RawClient(server).use { it.go() } }
        four.forEach { it.close() }
    }
})

/** A client that begins well, more or less, and goes on with [nastyBytes]. */
private fun attack(server: NbdServer, random: Random) {
    RawClient(server).use { hostile ->
        try {
            when (random.nextInt(4)) {
                0 -> Unit
                1 -> hostile.greet()
                else -> hostile.go(structured = random.nextBoolean())
            }
            repeat(random.nextInt(1, 30)) { hostile.send(nastyBytes(random)) }
            if (random.nextBoolean()) hostile.channel.shutdownOutput()
        } catch (_: IOException) {
            // The server may hang up in the middle of it.
        }
    }
}

/** Bytes of a client that has lost its mind, or has bad plans. */
private fun nastyBytes(random: Random): ByteArray {
    val out = ByteBuffer.allocate(1 shl 14)
    when (random.nextInt(6)) {
        0 -> out.put(random.nextBytes(random.nextInt(1, 4096)))
        1 -> NbdRequest(
            random.nextInt(64),
            random.nextInt(10),
            random.nextLong(),
            random.nextLong(),
            random.nextLong(),
        ).encode(out)
        2 -> {
            val length = random.nextInt(0, 8192)
            NbdRequest(
                random.nextInt(2),
                random.nextInt(8),
                3,
                random.nextLong(0, 1 shl 21),
                length.toLong(),
            ).encode(out)
            out.put(random.nextBytes(length))
        }
        3 -> out.putLong(Nbd.OPTION_MAGIC).putInt(random.nextInt(14)).putInt(random.nextInt())
        4 -> {
            val data = GoOption("disk", listOf(3)).encode()
            repeat(random.nextInt(4)) { data[random.nextInt(data.size)] = random.nextInt().toByte() }
            out.putLong(Nbd.OPTION_MAGIC).putInt(random.nextInt(14)).putInt(data.size).put(data)
        }
        else -> repeat(random.nextInt(1, 100)) { NbdRequest(0, Command.READ, it.toLong(), 0, 1 shl 16).encode(out) }
    }
    return out.array().copyOf(out.position())
}
