package dev.arraywright.kernel.driver.upgrade

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceType
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.ThreadLocalRandom
import java.util.concurrent.atomic.AtomicInteger

/** What the devices of several versions are about, each of which has a cache of its own on top of it. */
internal class Store(val id: String, val size: Int) {
    private val stable = ByteArray(size)

    /** All that were ever opened. */
    val devices = ConcurrentLinkedQueue<CachingDevice>()

    /** Devices closed while calls were in them. */
    val closedTooEarly = AtomicInteger()

    fun open(memory: Boolean, size: Int = this.size, id: String = this.id): CachingDevice {
        val info = DeviceInfo(id, "", "", DeviceType.MEMORY, -1, size.toLong(), BLOCK, BLOCK, false, false)
        return CachingDevice(this, info, memory).also(devices::add)
    }

    fun content(): ByteArray = synchronized(stable) { stable.clone() }

    fun block(at: Int): ByteArray = synchronized(stable) { stable.copyOfRange(at * BLOCK, (at + 1) * BLOCK) }

    fun keep(at: Int, bytes: ByteArray) = synchronized(stable) { bytes.copyInto(stable, at * BLOCK) }

    companion object {
        const val BLOCK = 512
    }
}

/**
 * Keeps what is written until it is flushed, and takes its time. One with a [memory] reads the store when it is opened
 * and never again, so that it has to be the only one that writes from then on.
 */
internal class CachingDevice(private val store: Store, private val info: DeviceInfo, memory: Boolean) : BlockDevice {
    private val remembered = if (memory) store.content() else null
    private val dirty = HashMap<Int, ByteArray>()
    private val busy = AtomicInteger()

    @Volatile var flushFailure: DeviceIoException? = null

    @Volatile var isClosed = false
        private set

    override fun info() = info

    override fun read(target: ByteBuffer, offset: Long) = inside {
        for (at in blocks(offset, target.remaining())) target.put(synchronized(dirty) { dirty[at] } ?: below(at))
    }

    override fun write(source: ByteBuffer, offset: Long) = inside {
        for (at in blocks(offset, source.remaining())) {
            val bytes = ByteArray(Store.BLOCK).also(source::get)
            synchronized(dirty) { dirty[at] = bytes }
        }
    }

    override fun flush() = inside {
        flushFailure?.let { throw it }
        synchronized(dirty) {
            for ((at, bytes) in dirty) {
                store.keep(at, bytes)
                remembered?.let { bytes.copyInto(it, at * Store.BLOCK) }
            }
            dirty.clear()
        }
    }

    override fun isOnline() = !isClosed

    override fun close() {
        if (busy.get() > 0) store.closedTooEarly.incrementAndGet()
        isClosed = true
    }

    private fun below(at: Int) = remembered?.copyOfRange(at * Store.BLOCK, (at + 1) * Store.BLOCK) ?: store.block(at)

    private fun blocks(offset: Long, length: Int) =
        (offset / Store.BLOCK).toInt().let { first -> first..<first + length / Store.BLOCK }

    private inline fun inside(body: () -> Unit) {
        busy.incrementAndGet()
        try {
            repeat(ThreadLocalRandom.current().nextInt(8)) { Thread.yield() }
            if (isClosed) throw DeviceGoneException(info.id(), "closed", null)
            body()
        } finally {
            busy.decrementAndGet()
        }
    }
}
