package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.RawClient
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.eventually
import dev.arraywright.hardware.nbd.wire.GoOption
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.Errno
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Files
import kotlin.io.path.createTempDirectory
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class NbdServerLifecycleSpec : StringSpec({
    val directory = createTempDirectory("nbd-life")
    val buffers = CountingBuffers()
    val anyPort = NbdEndpoint.Tcp(port = 0)

    afterSpec { directory.toFile().deleteRecursively() }

    fun start(endpoint: NbdEndpoint = anyPort, limits: NbdLimits = NbdLimits()) = NbdServer.start(
        endpoint,
        limits,
        buffers,
    )

    fun threads() = Thread.getAllStackTraces().keys.filter { it.name.startsWith("nbd-") && it.isAlive }

    "a port in use gets an error that says so and what to do" {
        start().use { first ->
            first.port shouldNotBe 0
            val error = shouldThrow<NbdListenException.AddressInUse> { start(NbdEndpoint.Tcp(port = first.port)) }
            error.message shouldContain "127.0.0.1:${first.port} is in use"
            error.remedy shouldContain "port 0"
        }
    }

    "an address that others can reach has to be asked for" {
        shouldThrow<NbdListenException.RemoteRefused> {
            start(NbdEndpoint.Tcp("0.0.0.0", 0))
        }.remedy shouldContain "127.0.0.1"
        start(NbdEndpoint.Tcp("0.0.0.0", 0, allowRemote = true)).close()
    }

    "an address that is not this machine's is refused with the reason" {
        shouldThrow<NbdListenException.Refused> { start(NbdEndpoint.Tcp("192.0.2.1", 0, allowRemote = true)) }
    }

    "a Unix socket is removed at close, replaced when dead, refused when alive" {
        val path = directory.resolve("s")
        start(NbdEndpoint.Unix(path)).use { first ->
            shouldThrow<NbdListenException.AddressInUse> { start(NbdEndpoint.Unix(path)) }
            first.export(NbdExport("disk", StrictMemory()))
            RawClient(first).use { it.go() }
        }
        Files.exists(path) shouldBe false
        // A socket whose server died without removing it.
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX).use {
            it.bind(java.net.UnixDomainSocketAddress.of(path))
        }
        Files.exists(path) shouldBe true
        start(NbdEndpoint.Unix(path)).close()
        Files.exists(path) shouldBe false
    }

    "a file that is no socket is left alone, and so is a socket that replaced ours" {
        val file = directory.resolve("f").also { it.writeText("precious") }
        shouldThrow<NbdListenException.NotASocket> { start(NbdEndpoint.Unix(file)) }
        Files.readString(file) shouldBe "precious"
        val path = directory.resolve("t")
        val first = start(NbdEndpoint.Unix(path))
        Files.delete(path)
        start(NbdEndpoint.Unix(path)).use {
            first.close()
            Files.exists(path) shouldBe true
        }
    }

    "close waits for what is in flight and answers it" {
        val device = StrictMemory()
        val server = start(limits = NbdLimits(grace = 30.seconds))
        server.export(NbdExport("disk", device))
        RawClient(server).go().use { client ->
            device.hold()
            client.write(0, ByteArray(512) { 5 }, cookie = 1)
            eventually { device.waiting shouldBe 1 }
            val closing = Thread.ofVirtual().start { server.close() }
            eventually { shouldThrow<IllegalStateException> { server.export(NbdExport("late", device)) } }
            device.release()
            client.chunk().errno shouldBe 0
            client.isHungUp() shouldBe true
            closing.join()
        }
        device.content()[0] shouldBe 5
        eventually { threads().shouldBeEmpty() }
    }

    "close answers what does not finish with ESHUTDOWN, and the device keeps its buffer until it is done" {
        val device = StrictMemory()
        val server = start(limits = NbdLimits(grace = 50.milliseconds))
        server.export(NbdExport("disk", device))
        RawClient(server).go().use { client ->
            device.hold()
            client.write(0, ByteArray(512) { 5 }, cookie = 8)
            eventually { device.waiting shouldBe 1 }
            server.close()
            val reply = client.chunk()
            reply.cookie shouldBe 8
            reply.errno shouldBe Errno.ESHUTDOWN
            client.isHungUp() shouldBe true
        }
        threads().shouldBeEmpty()
        buffers.inUse() shouldBe 512
        device.release()
        buffers.inUse() shouldBe 0
        device.content()[0] shouldBe 5
    }

    "an export can be withdrawn: its clients go, others stay, and the name is free again" {
        start().use { server ->
            val device = StrictMemory()
            server.export(NbdExport("a", device))
            server.export(NbdExport("b", device))
            shouldThrow<IllegalArgumentException> { server.export(NbdExport("a", device)) }
            val a = RawClient(server).go("a")
            val b = RawClient(server).go("b")
            eventually { server.connections.value.map { it.export } shouldBe listOf("a", "b") }
            server.unexport("a") shouldBe true
            server.unexport("a") shouldBe false
            a.isHungUp() shouldBe true
            b.request(Command.READ, 0, 512)
            b.chunk().errno shouldBe 0
            server.exports.map { it.name } shouldBe listOf("b")
            RawClient(server).greet().use {
                it.ask(Nbd.Option.GO, GoOption("a", emptyList()).encode()).single().type shouldBe Nbd.Rep.ERR_UNKNOWN
            }
            server.export(NbdExport("a", device))
            RawClient(server).use { it.go("a") }
            b.close()
        }
    }

    "closing twice does nothing, a closed server takes no exports, and no thread is left" {
        val server = start()
        server.export(NbdExport("disk", StrictMemory()))
        val clients = List(3) { RawClient(server).go() }
        val haggling = RawClient(server).greet()
        server.close()
        server.close()
        (clients + haggling).forEach {
            it.isHungUp() shouldBe true
            it.close()
        }
        shouldThrow<IllegalStateException> { server.export(NbdExport("late", StrictMemory())) }
        eventually { threads().shouldBeEmpty() }
        server.connections.value.shouldBeEmpty()
    }

    "a pool too small for the smallest payload is refused at the start" {
        shouldThrow<IllegalArgumentException> { NbdServer.start(anyPort, NbdLimits(), CountingBuffers(4096)) }
    }
})
