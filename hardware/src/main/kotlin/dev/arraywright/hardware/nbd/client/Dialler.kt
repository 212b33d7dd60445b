package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.wire.NbdProtocolException
import dev.arraywright.hardware.nbd.wire.WireReader
import dev.arraywright.hardware.nbd.wire.WireWriter
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import java.io.IOException
import java.net.InetSocketAddress
import java.net.StandardProtocolFamily
import java.net.StandardSocketOptions
import java.net.UnixDomainSocketAddress
import java.nio.channels.ClosedChannelException
import java.nio.channels.SocketChannel

/** One connection in the transmission phase. */
internal class Wire(
    val channel: SocketChannel,
    val export: RemoteExport,
    val reader: WireReader,
    val writer: WireWriter,
) {
    @Volatile
    var lastArrival: Long = System.nanoTime()
}

/** Connects to the server at an `nbd:` or `nbd+unix:` address. */
internal class Dialler(val address: StorageAddress) {
    private val name: String = when (address) {
        is StorageAddress.Nbd -> address.export()
        is StorageAddress.NbdUnix -> address.export()
        else -> throw IllegalArgumentException("$address is no NBD address")
    }

    /**
     * Blocks until the transmission phase is reached.
     *
     * @param begun given the channel before anything waits; closing it ends the wait
     * @throws DriverException if nobody answers there, or answers no
     */
    fun dial(begun: (SocketChannel) -> Unit): Wire {
        val channel = when (address) {
            is StorageAddress.Nbd -> SocketChannel.open()
            else -> SocketChannel.open(StandardProtocolFamily.UNIX)
        }
        try {
            begun(channel)
            connect(channel)
            var wire: Wire? = null
            val reader = WireReader(channel) { wire?.lastArrival = System.nanoTime() }
            val writer = WireWriter(channel)
            return Wire(channel, ClientHandshake(reader, writer, name).negotiate(), reader, writer).also { wire = it }
        } catch (e: IOException) {
            channel.close()
            throw explained(e)
        } catch (e: Exception) {
            channel.close()
            throw e
        }
    }

    private fun connect(channel: SocketChannel) {
        when (address) {
            is StorageAddress.Nbd -> {
                val target = InetSocketAddress(address.host(), address.port())
                if (target.isUnresolved) {
                    throw DriverException(
                        Reason.NOT_FOUND,
                        "there is no host '${address.host()}'",
                        "check the host's name",
                    )
                }
                channel.setOption(StandardSocketOptions.TCP_NODELAY, true)
                channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true)
                channel.connect(target)
            }
            is StorageAddress.NbdUnix -> channel.connect(UnixDomainSocketAddress.of(address.socket()))
            else -> error("no NBD address: $address")
        }
    }

    private fun explained(e: IOException): DriverException =
        if (e is NbdProtocolException) {
            DriverException(Reason.FAILED, "$address: ${e.message}", "check that an NBD server listens there", e)
        } else {
            val why = if (e is ClosedChannelException) "no answer in time" else e.message ?: e.toString()
            DriverException(Reason.UNREACHABLE, "$address cannot be reached: $why", "check that the server runs", e)
        }
}
