package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.eventually
import dev.arraywright.hardware.nbd.needs
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import dev.arraywright.spi.testing.Peer
import dev.arraywright.spi.testing.Peers
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import kotlin.io.path.createTempDirectory
import kotlin.io.path.deleteIfExists
import kotlin.io.path.readBytes
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Our client against nbdkit. */
class NbdClientPeersSpec : StringSpec({
    val directory = createTempDirectory("nbdkit")
    val socket: Path = directory.resolve("s")
    val address = StorageAddress.NbdUnix(socket.toString(), "")
    val options = NbdClientOptions(request = 20.seconds, reconnect = 20.seconds, firstRetry = 10.milliseconds)
    var server: Process? = null

    fun kill() {
        server?.destroyForcibly()?.waitFor(20, TimeUnit.SECONDS)
        server = null
    }

    fun start(vararg arguments: String) {
        kill()
        socket.deleteIfExists()
        val command = listOf(Peers.find("nbdkit").get().toString(), "-f", "-U", socket.toString()) + arguments
        server = ProcessBuilder(
            command,
        ).redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start()
        eventually { Peer.listens(socket) shouldBe true }
    }

    afterEach { kill() }
    afterSpec { directory.toFile().deleteRecursively() }

    fun <T> CompletionStage<T>.get(): T = toCompletableFuture().get(30, TimeUnit.SECONDS)

    fun failure(stage: CompletionStage<*>): Throwable = shouldThrow<ExecutionException> { stage.get() }.cause!!

    fun NbdDevice.readOne() = ByteBuffer.allocate(4096).also { read(it, 0).get() }.array()

    "what is written to nbdkit's memory is read again, zeroed, and shown as holes".config(
        enabledOrReasonIf = needs("nbdkit"),
    ) {
        start("memory", "64M")
        NbdDevice.open(address, options = options).use { device ->
            device.info().size() shouldBe (64L shl 20)
            val data = Random(3).nextBytes(3 shl 20)
            device.write(ByteBuffer.wrap(data), 1L shl 20).get()
            device.flush().get()
            val target = ByteBuffer.allocateDirect(3 shl 20)
            device.read(target, 1L shl 20).get()
            ByteArray(3 shl 20).also { target.duplicate().get(it) } shouldBe data
            device.writeZeroes(1L shl 20, 1L shl 20).get()
            device.discard(2L shl 20, 1L shl 20).get()
            val extents = device.allocation(0, 64L shl 20).get()
            extents.first().hole shouldBe true
            extents.first().end() shouldBe (3L shl 20)
            extents.last().end() shouldBe (64L shl 20)
        }
    }

    "many requests at once come back right, though delayed".config(enabledOrReasonIf = needs("nbdkit")) {
        start("--filter=delay", "memory", "16M", "delay-read=5ms", "delay-write=5ms")
        NbdDevice.open(address, options = options).use { device ->
            val writes = List(300) { device.write(ByteBuffer.wrap(ByteArray(4096) { _ -> it.toByte() }), it * 4096L) }
            writes.forEach { it.get() }
            val targets = List(300) { ByteBuffer.allocate(4096) }
            targets.mapIndexed { at, target -> device.read(target, at * 4096L) }.forEach { it.get() }
            targets.forEachIndexed { at, target -> target.array().all { it == at.toByte() } shouldBe true }
        }
    }

    "an old server without GO, or without structured replies, is spoken to in its way".config(
        enabledOrReasonIf = needs("nbdkit"),
    ) {
        for (mask in listOf("--mask-handshake=0", "--mask-handshake=1", "--no-sr")) {
            start(mask, "pattern", "1M")
            NbdDevice.open(address, readOnly = true, options = options).use { device ->
                device.info().size() shouldBe (1L shl 20)
                ByteBuffer.wrap(device.readOne()).getLong(16) shouldBe 16
            }
            kill()
        }
    }

    "a server's least block is the device's, and payloads keep to its limit".config(
        enabledOrReasonIf = needs("nbdkit"),
    ) {
        start(
            "--filter=blocksize-policy",
            "memory",
            "16M",
            "blocksize-error-policy=error",
            "blocksize-minimum=4096",
            "blocksize-preferred=8192",
            "blocksize-maximum=64K",
        )
        NbdDevice.open(address, options = options).use { device ->
            device.info().logicalBlockSize() shouldBe 4096
            device.info().physicalBlockSize() shouldBe 8192
            val data = Random(4).nextBytes(1 shl 20)
            device.write(ByteBuffer.wrap(data), 4096).get()
            val target = ByteBuffer.allocate(1 shl 20)
            device.read(target, 4096).get()
            target.array() shouldBe data
        }
    }

    "the server's errors are medium errors, and the device works on".config(enabledOrReasonIf = needs("nbdkit")) {
        val trigger = directory.resolve("fail")
        Files.createFile(trigger)
        start("--filter=error", "memory", "1M", "error=EIO", "error-rate=100%", "error-file=$trigger")
        NbdDevice.open(address, options = options).use { device ->
            failure(
                device.read(ByteBuffer.allocate(512), 1024),
            ).shouldBeInstanceOf<MediumErrorException>().offset() shouldBe 1024
            failure(device.write(ByteBuffer.allocate(512), 0)).shouldBeInstanceOf<MediumErrorException>()
            trigger.deleteIfExists()
            device.readOne() shouldBe ByteArray(4096)
        }
    }

    "a server that takes too long times out".config(enabledOrReasonIf = needs("nbdkit")) {
        start("--filter=delay", "memory", "1M", "delay-read=60")
        NbdDevice.open(address, options = options.copy(request = 300.milliseconds)).use { device ->
            failure(device.read(ByteBuffer.allocate(512), 0)).shouldBeInstanceOf<TimedOutException>()
        }
    }

    "a server killed and started again is found again, with the flushed writes there".config(
        enabledOrReasonIf = needs("nbdkit"),
    ) {
        val disk = directory.resolve("disk")
        Files.newByteChannel(
            disk,
            java.nio.file.StandardOpenOption.CREATE,
            java.nio.file.StandardOpenOption.WRITE,
        ).use {
            it.position((1L shl 20) - 1).write(ByteBuffer.allocate(1))
        }
        start("file", disk.toString())
        NbdDevice.open(address, options = options).use { device ->
            device.write(ByteBuffer.wrap(ByteArray(4096) { 6 }), 0).get()
            device.flush().get()
            kill()
            val waiting = ByteBuffer.allocate(4096)
            val read = device.read(waiting, 0)
            start("file", disk.toString())
            read.get()
            waiting.array() shouldBe ByteArray(4096) { 6 }
            device.isOnline shouldBe true
        }
        disk.readBytes().copyOf(4096) shouldBe ByteArray(4096) { 6 }
    }

    "a server killed with writes under way or not flushed is gone for good".config(
        enabledOrReasonIf = needs("nbdkit"),
    ) {
        start("--filter=delay", "memory", "1M", "delay-write=60")
        NbdDevice.open(address, options = options).use { device ->
            val write = device.write(ByteBuffer.allocate(512), 0)
            // Answered by another request, so the write is on its way.
            device.readOne()
            kill()
            failure(write).shouldBeInstanceOf<DeviceGoneException>()
            device.isOnline shouldBe false
        }
        start("memory", "1M")
        NbdDevice.open(address, options = options).use { device ->
            device.write(ByteBuffer.wrap(ByteArray(4096) { 6 }), 0).get()
            kill()
            start("memory", "1M")
            failure(device.read(ByteBuffer.allocate(512), 0)).shouldBeInstanceOf<DeviceGoneException>()
        }
    }

    "nobody at the socket, and no such export, are told apart".config(enabledOrReasonIf = needs("nbdkit")) {
        val nobody = StorageAddress.NbdUnix(directory.resolve("nobody").toString(), "")
        shouldThrow<DriverException> { NbdDevice.open(nobody, options = options) }.reason() shouldBe Reason.UNREACHABLE
        start("--filter=exportname", "memory", "1M", "exportname-strict=true", "exportname=a")
        val wrong = StorageAddress.NbdUnix(socket.toString(), "b")
        shouldThrow<DriverException> { NbdDevice.open(wrong, options = options) }.reason() shouldBe Reason.NOT_FOUND
        start("-r", "memory", "1M")
        shouldThrow<DriverException> { NbdDevice.open(address, options = options) }.reason() shouldBe Reason.READ_ONLY
    }
})
