package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.CountingBuffers
import dev.arraywright.hardware.nbd.RawClient
import dev.arraywright.hardware.nbd.StrictMemory
import dev.arraywright.hardware.nbd.eventually
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.CommandFlag
import dev.arraywright.hardware.nbd.wire.Nbd.Errno
import dev.arraywright.spi.device.DeviceIoException.ChecksumException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.ByteBuffer
import java.time.Duration
import kotlin.random.Random

class NbdServerCommandsSpec : StringSpec({
    val size = 1L shl 20
    val buffers = CountingBuffers()
    lateinit var server: NbdServer
    lateinit var device: StrictMemory

    beforeEach {
        device = StrictMemory(size, block = 512)
        server = NbdServer.start(NbdEndpoint.Tcp(port = 0), NbdLimits(maxPayload = 1 shl 17), buffers)
        server.export(NbdExport("disk", device))
        server.export(NbdExport("fast", device, fastZeroes = true))
        server.export(NbdExport("ro", device, readOnly = true))
    }
    afterEach {
        server.close()
        buffers.inUse() shouldBe 0
    }

    fun client(name: String = "disk", structured: Boolean = true) = RawClient(server).go(name, structured)

    fun RawClient.errno(command: Int, offset: Long = 0, length: Long = 512, flags: Int = 0): Int {
        val data = if (command == Command.WRITE) ByteArray(length.toInt()) else ByteArray(0)
        request(command, offset, length, flags, data = data)
        return chunk().errno
    }

    "what is written is read, in both styles of reply" {
        val data = Random(1).nextBytes(3 * 512)
        client(structured = false).use { client ->
            client.write(1024, data, cookie = 42)
            client.simple().cookie shouldBe 42
            client.request(Command.READ, 512, 5 * 512, cookie = 43)
            client.simple(5 * 512).data shouldBe ByteArray(512) + data + ByteArray(512)
        }
        client().use { client ->
            client.request(Command.READ, 1024, 3 * 512, CommandFlag.DF, cookie = 44)
            val chunk = client.chunk()
            chunk.cookie shouldBe 44
            chunk.type shouldBe Nbd.Chunk.OFFSET_DATA
            chunk.flags shouldBe Nbd.Chunk.FLAG_DONE
            chunk.data shouldBe ByteBuffer.allocate(8).putLong(1024).array() + data
        }
    }

    "ranges past the end, misaligned or overflowing are refused with the protocol's errors" {
        client().use { client ->
            for (offset in listOf(size, size - 512 + 1024, Long.MIN_VALUE, Long.MAX_VALUE - 511, -512L)) {
                withClue("offset $offset") {
                    client.errno(Command.READ, offset) shouldBe Errno.EINVAL
                    client.errno(Command.TRIM, offset) shouldBe Errno.EINVAL
                    client.errno(Command.BLOCK_STATUS, offset) shouldBe Errno.EINVAL
                    client.errno(Command.WRITE, offset) shouldBe Errno.ENOSPC
                    client.errno(Command.WRITE_ZEROES, offset) shouldBe Errno.ENOSPC
                }
            }
            for (command in listOf(
                Command.READ,
                Command.WRITE,
                Command.TRIM,
                Command.WRITE_ZEROES,
                Command.BLOCK_STATUS,
            )) {
                client.errno(command, offset = 1) shouldBe Errno.EINVAL
                client.errno(command, length = 511) shouldBe Errno.EINVAL
            }
            client.errno(Command.WRITE_ZEROES, 0, 0xffffffffL and 511L.inv()) shouldBe Errno.ENOSPC
            client.errno(Command.READ) shouldBe Errno.OK
        }
    }

    "unknown commands, and flags that do not belong to a command, are invalid" {
        client().use { client ->
            for (command in listOf(5, 8, 255, 0xffff)) client.errno(command) shouldBe Errno.EINVAL
            client.errno(Command.READ, flags = CommandFlag.NO_HOLE) shouldBe Errno.EINVAL
            client.errno(Command.WRITE, flags = CommandFlag.DF) shouldBe Errno.EINVAL
            client.errno(Command.TRIM, flags = CommandFlag.REQ_ONE) shouldBe Errno.EINVAL
            client.errno(Command.WRITE_ZEROES, flags = 0x20) shouldBe Errno.EINVAL
            client.errno(Command.FLUSH, length = 512) shouldBe Errno.EINVAL
            client.errno(Command.READ, flags = CommandFlag.FUA) shouldBe Errno.OK
        }
    }

    "payloads over the limit are refused and read past; one that is absurd hangs up" {
        client().use { client ->
            client.errno(Command.READ, 0, 1 shl 18) shouldBe Errno.EOVERFLOW
            client.errno(Command.WRITE, 0, 1 shl 18) shouldBe Errno.EINVAL
            client.errno(Command.READ) shouldBe Errno.OK
            client.request(Command.WRITE, 0, 0x7fffffff)
            client.isHungUp() shouldBe true
        }
        client(structured = false).use { client ->
            client.request(Command.READ, 0, 1 shl 18)
            client.simple().errno shouldBe Errno.EINVAL
        }
    }

    "requests of no bytes do nothing and succeed" {
        client().use { client ->
            for (command in listOf(Command.READ, Command.WRITE, Command.TRIM, Command.WRITE_ZEROES)) {
                client.request(command, 512, 0)
                client.chunk().type shouldBe Nbd.Chunk.NONE
            }
            client.errno(Command.BLOCK_STATUS, 0, 0) shouldBe Errno.EINVAL
        }
    }

    "FUA flushes after the write, and FLUSH flushes" {
        client().use { client ->
            client.errno(Command.WRITE) shouldBe 0
            device.flushes.get() shouldBe 0
            for (command in listOf(
                Command.WRITE,
                Command.TRIM,
                Command.WRITE_ZEROES,
            )) {
                client.errno(command, flags = CommandFlag.FUA) shouldBe 0
            }
            device.flushes.get() shouldBe 3
            client.errno(Command.FLUSH, length = 0) shouldBe 0
            device.flushes.get() shouldBe 4
            device.failure = { if (it == "flush") MediumErrorException("strict", 0, 0, null) else null }
            client.errno(Command.WRITE, flags = CommandFlag.FUA) shouldBe Errno.EIO
            client.errno(Command.WRITE) shouldBe 0
        }
    }

    "WRITE_ZEROES zeroes; NO_HOLE writes, so that no hole is left" {
        device.write(ByteBuffer.wrap(ByteArray(16384) { 1 }), 0)
        client().use { client ->
            client.errno(Command.WRITE_ZEROES, 0, 4096) shouldBe 0
            device.zeroed.get() shouldBe 1
            client.errno(Command.WRITE_ZEROES, 4096, 4096, CommandFlag.NO_HOLE) shouldBe 0
            device.zeroed.get() shouldBe 1
            device.content().copyOf(16384) shouldBe ByteArray(8192) + ByteArray(8192) { 1 }
            client.request(Command.BLOCK_STATUS, 0, 16384)
            extents(client.chunk()) shouldContainExactly listOf(4096 to 3, 12288 to 0)
        }
    }

    "FAST_ZERO is granted only where the export says that zeroes are fast" {
        client().use { it.errno(Command.WRITE_ZEROES, flags = CommandFlag.FAST_ZERO) shouldBe Errno.ENOTSUP }
        client("fast").use { client ->
            client.errno(Command.WRITE_ZEROES, flags = CommandFlag.FAST_ZERO) shouldBe Errno.OK
            client.errno(
                Command.WRITE_ZEROES,
                flags = CommandFlag.FAST_ZERO or CommandFlag.NO_HOLE,
            ) shouldBe Errno.ENOTSUP
        }
    }

    "BLOCK_STATUS joins what belongs together, and gives one extent if one is asked for" {
        device.write(ByteBuffer.wrap(ByteArray(512)), 5 * 4096)
        client().use { client ->
            client.request(Command.BLOCK_STATUS, 4096, 8 * 4096)
            extents(client.chunk()) shouldContainExactly listOf(4 * 4096 to 3, 4096 to 0, 3 * 4096 to 3)
            client.request(Command.BLOCK_STATUS, 4096, 512, CommandFlag.REQ_ONE)
            extents(client.chunk()) shouldContainExactly listOf(512 to 3)
            client.request(Command.BLOCK_STATUS, 4096, 8 * 4096, CommandFlag.REQ_ONE)
            extents(client.chunk()) shouldContainExactly listOf(4 * 4096 to 3)
        }
    }

    "a read-only export takes no writes and still reads and flushes" {
        client("ro").use { client ->
            for (command in listOf(
                Command.WRITE,
                Command.TRIM,
                Command.WRITE_ZEROES,
            )) {
                client.errno(command) shouldBe Errno.EPERM
            }
            client.errno(Command.READ) shouldBe 0
            client.errno(Command.FLUSH, length = 0) shouldBe 0
        }
        device.content() shouldBe ByteArray(size.toInt())
    }

    "a device's failures become the errors of the protocol, with the message where replies are structured" {
        val failures = mapOf(
            WriteProtectedException("d") to Errno.EPERM,
            OutOfSpaceException("d", null) to Errno.ENOSPC,
            MediumErrorException("d", 0, 512, null) to Errno.EIO,
            ChecksumException("d", 0, 512) to Errno.EIO,
            DeviceGoneException("d", "pulled", null) to Errno.EIO,
            TimedOutException("d", Duration.ofSeconds(1)) to Errno.EIO,
            IllegalArgumentException("what?") to Errno.EINVAL,
            IllegalStateException("a bug") to Errno.EIO,
        )
        client().use { client ->
            for ((failure, errno) in failures) {
                device.failure = { failure }
                for (command in listOf(
                    Command.READ,
                    Command.WRITE,
                    Command.TRIM,
                    Command.WRITE_ZEROES,
                    Command.BLOCK_STATUS,
                )) {
                    client.request(
                        command,
                        0,
                        512,
                        data = if (command == Command.WRITE) ByteArray(512) else ByteArray(0),
                    )
                    val chunk = client.chunk()
                    chunk.errno shouldBe errno
                    chunk.data.drop(6).toByteArray().decodeToString() shouldContain failure.message!!
                }
            }
            device.failure = { null }
            client.errno(Command.READ) shouldBe 0
        }
        client(structured = false).use { client ->
            device.failure = { MediumErrorException("d", 0, 512, null) }
            client.request(Command.READ, 0, 512)
            client.simple(512).errno shouldBe Errno.EIO
            device.failure = { null }
        }
    }

    "requests of a connection run at once and are answered as they finish" {
        client().use { client ->
            device.hold()
            for (cookie in 1L..5L) client.write(512 * cookie, ByteArray(512) { cookie.toByte() }, cookie = cookie)
            eventually { device.waiting shouldBe 5 }
            device.release()
            List(5) { client.chunk().cookie } shouldContainExactly listOf(5, 4, 3, 2, 1)
        }
    }

    "DISC waits for what is in flight, then hangs up" {
        client().use { client ->
            device.hold()
            client.write(0, ByteArray(512) { 9 }, cookie = 7)
            client.request(Command.DISC)
            eventually { device.waiting shouldBe 1 }
            device.release()
            client.chunk().cookie shouldBe 7
            client.isHungUp() shouldBe true
        }
        device.content()[511] shouldBe 9
    }

    "statistics count requests, bytes and errors of an export" {
        client().use { client ->
            client.errno(Command.WRITE, 0, 1024) shouldBe 0
            client.errno(Command.READ, 0, 512) shouldBe 0
            client.errno(Command.READ, size, 512) shouldBe Errno.EINVAL
            client.errno(Command.FLUSH, length = 0) shouldBe 0
            client.errno(Command.TRIM) shouldBe 0
            client.errno(Command.WRITE_ZEROES) shouldBe 0
        }
        server.statistics(
            "disk",
        ) shouldBe NbdStatistics(1, 1, 1, 1, 1, bytesRead = 512, bytesWritten = 1024, errors = 1)
        server.statistics("ro")!!.reads shouldBe 0
        server.statistics("nothing") shouldBe null
    }
})

/** The descriptors of a status chunk: lengths and flags. */
private fun extents(chunk: RawClient.Reply): List<Pair<Int, Int>> {
    chunk.type shouldBe Nbd.Chunk.BLOCK_STATUS
    val data = ByteBuffer.wrap(chunk.data)
    data.int shouldBe ServerHandshake.ALLOCATION_ID
    return List(data.remaining() / 8) { data.int to data.int }
}
