package dev.arraywright.hardware.nbd.server

import dev.arraywright.spi.memory.BufferAllocator
import io.github.oshai.kotlinlogging.KotlinLogging
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import java.io.IOException
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.nio.channels.ClosedChannelException
import java.nio.channels.SocketChannel
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private val log = KotlinLogging.logger {}

/** A client in the transmission phase. */
public data class NbdClient(val id: Long, val peer: String, val export: String)

/**
 * Serves block devices to NBD clients: fixed newstyle, structured replies, `base:allocation`. No TLS.
 *
 * Runs on platform threads of its own: one that accepts, one that watches deadlines, two a client. A client can be
 * wrong, hostile or stuck: that costs its connection, within [NbdLimits]. Thread-safe.
 */
public class NbdServer private constructor(
    private val listener: Listener,
    private val limits: NbdLimits,
    buffers: BufferAllocator,
) : AutoCloseable {
    private val registry = Registry()
    private val host = ConnectionHost(limits, registry, Admissions(limits, buffers), ::negotiated, ::ended)
    private val live = LinkedHashSet<ServerConnection>()
    private val clients = MutableStateFlow<List<NbdClient>>(emptyList())
    private val stopped = CountDownLatch(1)
    private val acceptor = Thread.ofPlatform().daemon().name("nbd-acceptor").unstarted(::accept)
    private val watch = Thread.ofPlatform().daemon().name("nbd-watch").unstarted(::keepWatch)

    /** Where the server listens, with the actual port. */
    public val address: SocketAddress get() = listener.address

    /** The port taken, or -1 on a Unix socket. */
    public val port: Int get() = (address as? InetSocketAddress)?.port ?: -1

    /** Clients in the transmission phase. */
    public val connections: StateFlow<List<NbdClient>> = clients.asStateFlow()

    /** The exports offered now, in the order they were added. */
    public val exports: List<NbdExport> get() = registry.list()

    /**
     * Offers a device to clients.
     *
     * @throws IllegalArgumentException if the name is taken
     * @throws IllegalStateException if the server is closed
     */
    public fun export(export: NbdExport): Unit = registry.add(export)

    /**
     * Withdraws an export: its clients are drained as in [close]. Blocks for that long; false if there is none.
     */
    public fun unexport(name: String): Boolean {
        val gone = registry.remove(name) ?: return false
        end { it.session?.live === gone }
        return true
    }

    /** Counters of an export, or null if there is none of that name. */
    public fun statistics(name: String): NbdStatistics? = registry.named(name)?.statistics()

    /**
     * Takes no new clients or requests, lets those in flight finish for [NbdLimits.grace], answers the rest with
     * ESHUTDOWN and ends all threads. Devices stay open. Blocks for that long.
     */
    override fun close() {
        if (!registry.close()) return
        listener.close()
        stopped.countDown()
        end { true }
        joinUninterruptibly(acceptor)
        // A client that was accepted as the listener closed.
        end { true }
        joinUninterruptibly(watch)
    }

    private fun end(which: (ServerConnection) -> Boolean) {
        val ending = synchronized(live) { live.filter(which) }
        ending.forEach { it.drain() }
        val slow = stillThere(ending, limits.grace)
        slow.forEach { it.abandon() }
        val stuck = stillThere(slow, LAST_WORDS)
        stuck.forEach { it.close() }
        stillThere(stuck, LAST_WORDS).forEach { log.error { "NBD client ${it.peer}: its threads do not end" } }
    }

    private fun stillThere(connections: List<ServerConnection>, time: Duration): List<ServerConnection> {
        val end = TimeSource.Monotonic.markNow() + time
        return connections.filterNot { it.awaitEnd(-end.elapsedNow()) }
    }

    private fun accept() {
        var number = 0L
        while (!registry.closing) {
            try {
                take(++number, listener.accept())
            } catch (_: ClosedChannelException) {
                return
            } catch (e: IOException) {
                // Out of file descriptors, most likely: clients wait in the backlog meanwhile.
                log.warn { "NBD server on $address: cannot accept: $e" }
                stopped.await(100, TimeUnit.MILLISECONDS)
            }
        }
    }

    private fun take(number: Long, channel: SocketChannel) {
        val connection = try {
            val peer = channel.remoteAddress.toString().ifEmpty { "unix#$number" }
            ServerConnection(number, peer, channel, host)
        } catch (e: IOException) {
            channel.close()
            throw e
        }
        val room = synchronized(live) { live.size < limits.connections && !registry.closing && live.add(connection) }
        if (room) {
            connection.start()
        } else {
            log.warn { "NBD client ${connection.peer}: turned away, ${limits.connections} are being served" }
            channel.close()
        }
    }

    private fun keepWatch() {
        val shortest = minOf(limits.handshake, limits.stall, limits.idle)
        val tick = (shortest / 8).coerceIn(5.milliseconds, 1.seconds).inWholeMilliseconds
        do {
            synchronized(live) { live.toList() }.forEach { it.enforceDeadlines() }
        } while (!stopped.await(tick, TimeUnit.MILLISECONDS))
    }

    private fun negotiated(connection: ServerConnection) {
        val export = connection.session?.live ?: return
        clients.update { it + NbdClient(connection.id, connection.peer, export.export.name) }
        // The export may have been withdrawn since the client chose it.
        if (registry.named(export.export.name) !== export) connection.drain()
    }

    private fun ended(connection: ServerConnection) {
        clients.update { all -> all.filterNot { it.id == connection.id } }
        synchronized(live) { live -= connection }
    }

    public companion object {
        private val LAST_WORDS = 1.seconds

        /**
         * Starts a server without exports.
         *
         * @param buffers where payload is kept; the server takes half of it at most
         * @throws NbdListenException if the endpoint cannot be had
         */
        public fun start(endpoint: NbdEndpoint, limits: NbdLimits, buffers: BufferAllocator): NbdServer {
            val listener = Listener.open(endpoint)
            return try {
                NbdServer(listener, limits, buffers).apply {
                    acceptor.start()
                    watch.start()
                }
            } catch (e: RuntimeException) {
                listener.close()
                throw e
            }
        }
    }
}
