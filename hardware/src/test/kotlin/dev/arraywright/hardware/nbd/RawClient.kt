package dev.arraywright.hardware.nbd

import dev.arraywright.hardware.nbd.server.NbdServer
import dev.arraywright.hardware.nbd.wire.GoOption
import dev.arraywright.hardware.nbd.wire.MetaContextOption
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.hardware.nbd.wire.WireReader
import io.kotest.matchers.shouldBe
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.ClosedChannelException
import java.nio.channels.SocketChannel
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit

/** A client that says exactly what a spec tells it to, right or wrong. */
class RawClient(server: NbdServer) : AutoCloseable {
    class OptionReply(val type: Int, val data: ByteArray)

    /** @property data of a simple reply's READ, or of the chunk */
    class Reply(val cookie: Long, val errno: Int, val type: Int, val flags: Int, val data: ByteArray)

    val channel: SocketChannel = SocketChannel.open(server.address)
    private val reader = WireReader(channel)

    init {
        // A server that does not answer fails the spec instead of holding it up.
        CompletableFuture.delayedExecutor(30, TimeUnit.SECONDS).execute(channel::close)
    }

    /** Reads the greeting, answers with flags. */
    fun greet(flags: Int = Nbd.Handshake.FIXED_NEWSTYLE or Nbd.Handshake.NO_ZEROES): RawClient {
        reader.require(18)
        reader.long() shouldBe Nbd.INIT_MAGIC
        reader.long() shouldBe Nbd.OPTION_MAGIC
        reader.unsignedShort() shouldBe 3
        send(ByteBuffer.allocate(4).putInt(flags))
        return this
    }

    /** Sends filled buffers whole. */
    fun send(vararg filled: ByteBuffer) {
        for (buffer in filled) {
            buffer.flip()
            while (buffer.hasRemaining()) channel.write(buffer)
        }
    }

    fun send(bytes: ByteArray) = send(ByteBuffer.allocate(bytes.size).put(bytes))

    fun sendOption(option: Int, data: ByteArray = ByteArray(0), length: Int = data.size) {
        send(ByteBuffer.allocate(16 + data.size).putLong(Nbd.OPTION_MAGIC).putInt(option).putInt(length).put(data))
    }

    /** Sends an option and takes its replies up to the last. */
    fun ask(option: Int, data: ByteArray = ByteArray(0)): List<OptionReply> {
        sendOption(option, data)
        return answers(option)
    }

    fun answers(option: Int): List<OptionReply> {
        val replies = ArrayList<OptionReply>()
        do {
            reader.require(20)
            reader.long() shouldBe Nbd.OPTION_REPLY_MAGIC
            reader.int() shouldBe option
            val type = reader.int()
            replies += OptionReply(type, bytes(reader.int()))
        } while (type > 0 && type != Nbd.Rep.ACK)
        return replies
    }

    fun go(name: String = "disk", structured: Boolean = true, allocation: Boolean = structured): RawClient {
        greet()
        if (structured) ask(Nbd.Option.STRUCTURED_REPLY).single().type shouldBe Nbd.Rep.ACK
        if (allocation) {
            ask(
                Nbd.Option.SET_META_CONTEXT,
                MetaContextOption(name, listOf(Nbd.ALLOCATION_CONTEXT)).encode(),
            ).size shouldBe 2
        }
        ask(Nbd.Option.GO, GoOption(name, listOf(Nbd.Info.BLOCK_SIZE)).encode()).last().type shouldBe Nbd.Rep.ACK
        return this
    }

    fun request(
        command: Int,
        offset: Long = 0,
        length: Long = 0,
        flags: Int = 0,
        cookie: Long = 1,
        data: ByteArray = ByteArray(0),
    ) {
        val buffer = ByteBuffer.allocate(NbdRequest.BYTES + data.size)
        NbdRequest(flags, command, cookie, offset, length).encode(buffer)
        send(buffer.put(data))
    }

    fun write(offset: Long, data: ByteArray, flags: Int = 0, cookie: Long = 1) =
        request(Nbd.Command.WRITE, offset, data.size.toLong(), flags, cookie, data)

    /** Takes a simple reply; one of a READ brings that many bytes if it went well. */
    fun simple(length: Int = 0): Reply {
        reader.require(16)
        reader.int() shouldBe Nbd.SIMPLE_REPLY_MAGIC
        val errno = reader.int()
        val cookie = reader.long()
        return Reply(cookie, errno, -1, Nbd.Chunk.FLAG_DONE, if (errno == 0) bytes(length) else ByteArray(0))
    }

    fun chunk(): Reply {
        reader.require(20)
        reader.int() shouldBe Nbd.CHUNK_MAGIC
        val flags = reader.unsignedShort()
        val type = reader.unsignedShort()
        val cookie = reader.long()
        val data = bytes(reader.int())
        val errno = if (type and Nbd.Chunk.ERROR_BIT != 0) ByteBuffer.wrap(data).int else 0
        return Reply(cookie, errno, type, flags, data)
    }

    /** Whether the server hangs up without a further byte. */
    fun isHungUp(): Boolean = try {
        !reader.awaitByte()
    } catch (e: IOException) {
        if (e is ClosedChannelException) throw e
        true
    }

    private fun bytes(count: Int): ByteArray = reader.bytes(count).array()

    override fun close() = channel.close()
}
