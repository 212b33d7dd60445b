package dev.arraywright.samples.http

import com.sun.net.httpserver.HttpExchange
import com.sun.net.httpserver.HttpServer
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.OpenOptions
import dev.arraywright.spi.memory.BufferAllocator
import java.net.InetAddress
import java.net.InetSocketAddress
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger

/** A real server with one object at `/disk`, with ranges, tags and partial PUT; each can be taken from it. */
class ObjectServer(size: Int) : AutoCloseable {
    private val executor = Executors.newFixedThreadPool(16)
    private val server = HttpServer.create(InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0)
    private var version = 1

    @Volatile var bytes = ByteArray(size) { (it % 251).toByte() }

    @Volatile var ranges = true

    @Volatile var tags = true

    @Volatile var partialPut = true

    /** What becomes of the next requests instead of an answer, one after the other. */
    val faults = ConcurrentLinkedQueue<(HttpExchange) -> Unit>()

    /** Comes before every answer, and may hold it up. */
    @Volatile var hold: () -> Unit = {}

    /** Comes when an answer is complete, before the client knows. */
    @Volatile var answered: () -> Unit = {}

    val requests = AtomicInteger()
    val address = StorageAddress.parse("http://127.0.0.1:${server.address.port}/disk")
    val missing = StorageAddress.parse("http://127.0.0.1:${server.address.port}/none")

    init {
        server.executor = executor
        server.createContext("/") { exchange ->
            exchange.use { serve(exchange) }
        }
        server.start()
    }

    fun open(options: OpenOptions = OpenOptions.DEFAULT, vararg settings: Pair<String, String>): BlockDevice =
        HttpDriver().apply { initialize(Context(mapOf("writes" to "partial-put") + settings)) }.open(address, options)

    /** Somebody else puts another object there. */
    fun change() = synchronized(this) {
        bytes = bytes.map { (it + 1).toByte() }.toByteArray()
        version++
    }

    /** The object has another tag from now on. */
    fun touch() = synchronized(this) { version++ }

    override fun close() {
        server.stop(0)
        executor.shutdownNow()
    }

    private fun serve(exchange: HttpExchange) {
        requests.incrementAndGet()
        hold()
        val fault = faults.poll()
        when {
            fault != null -> fault(exchange)
            exchange.requestURI.path != "/disk" -> exchange.sendResponseHeaders(404, -1)
            else -> synchronized(this) { answer(exchange) }
        }
    }

    private fun answer(exchange: HttpExchange) {
        val wanted = exchange.requestHeaders.getFirst("If-Match")
        when {
            tags && wanted != null && wanted != tag() -> exchange.sendResponseHeaders(412, -1)
            exchange.requestMethod == "GET" -> get(exchange)
            exchange.requestMethod == "PUT" -> put(exchange)
            else -> exchange.sendResponseHeaders(405, -1)
        }
    }

    private fun get(exchange: HttpExchange) {
        val range = exchange.requestHeaders.getFirst("Range")?.let(RANGE::matchEntire)?.destructured
        if (tags) exchange.responseHeaders.set("ETag", tag())
        if (range == null || !ranges) {
            exchange.sendResponseHeaders(200, bytes.size.toLong())
            exchange.responseBody.write(bytes)
            return
        }
        val (first, last) = range.toList().map(String::toInt)
        exchange.responseHeaders.set("Content-Range", "bytes $first-$last/${bytes.size}")
        exchange.sendResponseHeaders(206, last - first + 1L)
        exchange.responseBody.write(bytes, first, last - first)
        answered()
        exchange.responseBody.write(bytes, last, 1)
    }

    private fun put(exchange: HttpExchange) {
        val body = exchange.requestBody.readAllBytes()
        val first = exchange.requestHeaders.getFirst("Content-Range").substringAfter(' ').substringBefore('-').toInt()
        if (partialPut) body.copyInto(bytes, first) else bytes = body
        version++
        if (tags) exchange.responseHeaders.set("ETag", tag())
        exchange.sendResponseHeaders(204, -1)
    }

    private fun tag() = "\"v$version\""

    private class Context(private val settings: Map<String, String>) : DriverContext {
        override fun settings(): Map<String, String> = settings

        override fun buffers(): BufferAllocator = error("the driver needs no buffers")

        override fun logger(): System.Logger = System.getLogger("http")
    }

    companion object {
        private val RANGE = Regex("bytes=(\\d+)-(\\d+)")

        fun status(code: Int): (HttpExchange) -> Unit = { it.sendResponseHeaders(code, -1) }

        /** Promises what was asked for, and breaks off after a part of it. */
        val truncated: (HttpExchange) -> Unit = { exchange ->
            exchange.responseHeaders.set("Content-Range", "bytes 0-4095/1048576")
            exchange.sendResponseHeaders(206, 4096)
            exchange.responseBody.write(ByteArray(100))
        }
    }
}

private inline fun HttpExchange.use(block: () -> Unit) = try {
    block()
} finally {
    close()
}
