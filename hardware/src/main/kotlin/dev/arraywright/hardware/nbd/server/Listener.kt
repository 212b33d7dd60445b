package dev.arraywright.hardware.nbd.server

import java.io.IOException
import java.net.BindException
import java.net.ConnectException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.net.StandardProtocolFamily
import java.net.StandardSocketOptions
import java.net.UnixDomainSocketAddress
import java.nio.channels.ServerSocketChannel
import java.nio.channels.SocketChannel
import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.Path

/** A listening socket; [close] removes a Unix socket's file if it is still this one's. */
internal class Listener private constructor(
    private val channel: ServerSocketChannel,
    private val file: Path?,
) : AutoCloseable {
    private val identity: Any? = file?.let(::identityOf)

    val address: SocketAddress = channel.localAddress

    /** Waits for a client. */
    fun accept(): SocketChannel {
        val client = channel.accept()
        if (file == null) {
            client.setOption(StandardSocketOptions.TCP_NODELAY, true)
            client.setOption(StandardSocketOptions.SO_KEEPALIVE, true)
        }
        return client
    }

    override fun close() {
        channel.close()
        if (file != null && identity != null && identityOf(file) == identity) Files.deleteIfExists(file)
    }

    companion object {
        /** @throws NbdListenException where the endpoint cannot be had */
        fun open(endpoint: NbdEndpoint): Listener = try {
            when (endpoint) {
                is NbdEndpoint.Tcp -> tcp(endpoint)
                is NbdEndpoint.Unix -> unix(endpoint)
            }
        } catch (e: BindException) {
            throw if ("in use" in e.message.orEmpty()) {
                NbdListenException.AddressInUse(endpoint, e)
            } else {
                NbdListenException.Refused(endpoint, e)
            }
        } catch (e: IOException) {
            throw NbdListenException.Refused(endpoint, e)
        }

        private fun tcp(endpoint: NbdEndpoint.Tcp): Listener {
            val host = InetAddress.getByName(endpoint.host)
            if (!host.isLoopbackAddress && !endpoint.allowRemote) throw NbdListenException.RemoteRefused(endpoint)
            return bound(ServerSocketChannel.open(), InetSocketAddress(host, endpoint.port), null)
        }

        private fun unix(endpoint: NbdEndpoint.Unix): Listener {
            val path = endpoint.path.toAbsolutePath()
            val address = UnixDomainSocketAddress.of(path)
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                if (!isSocket(path)) throw NbdListenException.NotASocket(path)
                if (isAlive(address)) throw NbdListenException.AddressInUse(endpoint)
                Files.deleteIfExists(path)
            }
            return bound(ServerSocketChannel.open(StandardProtocolFamily.UNIX), address, path)
        }

        private fun bound(channel: ServerSocketChannel, address: SocketAddress, file: Path?): Listener = try {
            Listener(channel.bind(address), file)
        } catch (e: IOException) {
            channel.close()
            throw e
        }

        /** A socket whose server is gone refuses; anything else is taken for life. */
        private fun isAlive(address: UnixDomainSocketAddress): Boolean = try {
            SocketChannel.open(address).close()
            true
        } catch (_: ConnectException) {
            false
        }

        private fun isSocket(path: Path): Boolean =
            Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS) as Int and FILE_TYPE == SOCKET

        private fun identityOf(path: Path): Any? = try {
            Files.readAttributes(path, "fileKey", LinkOption.NOFOLLOW_LINKS)["fileKey"]
        } catch (_: IOException) {
            null
        }

        // Linux's stat(2): the file type within st_mode.
        private const val FILE_TYPE = 0xf000
        private const val SOCKET = 0xc000
    }
}
