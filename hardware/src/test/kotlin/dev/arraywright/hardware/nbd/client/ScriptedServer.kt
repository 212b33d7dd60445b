package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.hardware.nbd.wire.WireReader
import dev.arraywright.spi.device.StorageAddress
import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.nio.ByteBuffer
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger

/** A server that says exactly what a spec tells it to: [script] runs once a connection, with its number from 0. */
class ScriptedServer(private val script: Peer.(number: Int) -> Unit) : AutoCloseable {
    private val listener = ServerSocketChannel.open().bind(InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
    private val open = CopyOnWriteArrayList<SocketChannel>()
    val connections = AtomicInteger()
    val port: Int = (listener.localAddress as InetSocketAddress).port
    val address: StorageAddress = StorageAddress.Nbd("127.0.0.1", port, "disk")

    init {
        Thread.ofVirtual().start {
            try {
                while (true) {
                    val channel = listener.accept()
                    open += channel
                    val number = connections.getAndIncrement()
                    Thread.ofVirtual().start { serve(channel, number) }
                }
            } catch (_: IOException) {
                // Closed.
            }
        }
    }

    private fun serve(channel: SocketChannel, number: Int) {
        channel.use {
            try {
                Peer(it).script(number)
            } catch (_: IOException) {
                // The client has gone.
            }
        }
    }

    override fun close() {
        listener.close()
        open.forEach { it.close() }
    }

    class Peer(private val channel: SocketChannel) {
        private val reader = WireReader(channel)

        fun send(size: Int, fill: ByteBuffer.() -> Unit) {
            val buffer = ByteBuffer.allocate(size)
            buffer.fill()
            buffer.flip()
            while (buffer.hasRemaining()) channel.write(buffer)
        }

        fun greet() {
            send(18) { putLong(Nbd.INIT_MAGIC).putLong(Nbd.OPTION_MAGIC).putShort(3) }
            reader.require(4)
            reader.int()
        }

        /** The number of the client's next option. */
        fun option(): Int {
            reader.require(16)
            reader.long()
            val option = reader.int()
            reader.skip(reader.unsignedInt())
            return option
        }

        fun optionReply(option: Int, type: Int, data: ByteArray = ByteArray(0), length: Int = data.size) {
            send(20 + data.size) {
                putLong(Nbd.OPTION_REPLY_MAGIC).putInt(option).putInt(type).putInt(length).put(data)
            }
        }

        /** Grants an export of that size and answers no to everything optional. */
        fun negotiate(size: Long = 1L shl 20, flags: Int = 0x6d, structured: Boolean = false) {
            greet()
            while (true) {
                when (val option = option()) {
                    Nbd.Option.STRUCTURED_REPLY -> optionReply(
                        option,
                        if (structured) Nbd.Rep.ACK else Nbd.Rep.ERR_UNSUP,
                    )
                    Nbd.Option.GO -> {
                        val info = ByteBuffer.allocate(12).putShort(0).putLong(size).putShort(flags.toShort()).array()
                        optionReply(option, Nbd.Rep.INFO, info)
                        optionReply(option, Nbd.Rep.ACK)
                        return
                    }
                    else -> optionReply(option, Nbd.Rep.ERR_UNSUP)
                }
            }
        }

        /** The next request, its payload read past. */
        internal fun request(): NbdRequest {
            val request = NbdRequest.decode(reader)
            if (request.command == Nbd.Command.WRITE) reader.skip(request.length)
            return request
        }

        fun simple(cookie: Long, errno: Int = 0, data: ByteArray = ByteArray(0)) {
            send(16 + data.size) { putInt(Nbd.SIMPLE_REPLY_MAGIC).putInt(errno).putLong(cookie).put(data) }
        }

        fun chunk(cookie: Long, type: Int, flags: Int, data: ByteArray, length: Int = data.size) {
            send(20 + data.size) {
                putInt(Nbd.CHUNK_MAGIC).putShort(flags.toShort()).putShort(type.toShort())
                putLong(cookie).putInt(length).put(data)
            }
        }

        /** Says nothing until the client hangs up. */
        fun listen() {
            while (reader.awaitByte()) reader.skip(1)
        }
    }
}
