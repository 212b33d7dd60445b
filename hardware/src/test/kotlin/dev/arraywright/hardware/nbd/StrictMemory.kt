package dev.arraywright.hardware.nbd

import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.device.Extent
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicInteger

/**
 * A device in memory that takes its contract at its word: ranges are checked, and calls can be held back, failed
 * and counted. Holes are pages never written since they were discarded or zeroed.
 */
class StrictMemory(
    size: Long = 1L shl 20,
    block: Int = 1,
    readOnly: Boolean = false,
) : AsyncBlockDevice {
    private val info =
        DeviceInfo("strict", "", "", DeviceType.MEMORY, -1, size, block, maxOf(block, 512), readOnly, false)
    private val bytes = ByteArray(size.toInt())
    private val written = BooleanArray(((size + PAGE - 1) / PAGE).toInt())
    private val held = ArrayDeque<() -> Unit>()
    private var holding = false
    private var closed = false

    /** Asked before each operation by its name; what it returns is thrown. */
    @Volatile
    var failure: (String) -> Exception? = { null }

    val flushes = AtomicInteger()
    val zeroed = AtomicInteger()
    val waiting: Int get() = synchronized(held) { held.size }

    /** From now on operations start and do not end. */
    fun hold() = synchronized(held) { holding = true }

    /** Ends what is held back, in the opposite order. */
    fun release() {
        val ready = synchronized(held) {
            holding = false
            held.toList().also { held.clear() }
        }
        ready.reversed().forEach { it() }
    }

    fun content(): ByteArray = synchronized(bytes) { bytes.clone() }

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
        info.checkRange(offset, target.remaining().toLong())
        val to = target.duplicate()
        return operation("read") { to.put(bytes, offset.toInt(), to.remaining()) }
    }

    override fun write(source: ByteBuffer, offset: Long): CompletionStage<Void> {
        info.checkRange(offset, source.remaining().toLong())
        val from = source.duplicate()
        return operation("write") {
            mark(offset, from.remaining().toLong(), true)
            from.get(bytes, offset.toInt(), from.remaining())
        }
    }

    override fun flush(): CompletionStage<Void> = operation("flush") { flushes.incrementAndGet() }

    override fun discard(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return operation("discard") { clear(offset, length) }
    }

    override fun writeZeroes(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return operation("zeroes") {
            zeroed.incrementAndGet()
            clear(offset, length)
        }
    }

    override fun allocation(offset: Long, length: Long): CompletionStage<List<Extent>> {
        info.checkRange(offset, length)
        val found = ArrayList<Extent>()
        return operation("allocation") {
            var at = offset
            while (at < offset + length) {
                val end = minOf((at / PAGE + 1) * PAGE, offset + length)
                found += Extent(at, end - at, !written[(at / PAGE).toInt()])
                at = end
            }
        }.thenApply { found }
    }

    override fun isOnline(): Boolean = !closed

    override fun close() {
        closed = true
    }

    private fun clear(offset: Long, length: Long) {
        bytes.fill(0, offset.toInt(), (offset + length).toInt())
        val first = (offset + PAGE - 1) / PAGE
        val last = (offset + length) / PAGE
        for (page in first until last) written[page.toInt()] = false
    }

    private fun mark(offset: Long, length: Long, value: Boolean) {
        if (length > 0) written.fill(value, (offset / PAGE).toInt(), ((offset + length - 1) / PAGE).toInt() + 1)
    }

    private fun operation(name: String, work: () -> Unit): CompletionStage<Void> {
        val done = CompletableFuture<Void>()
        val run: () -> Unit = {
            val problem = if (closed) DeviceIoException.DeviceGoneException("strict", "closed", null) else failure(name)
            if (problem != null) {
                done.completeExceptionally(problem)
            } else {
                synchronized(bytes) { work() }
                done.complete(null)
            }
        }
        val now = synchronized(held) {
            if (holding) held.add(run)
            !holding
        }
        if (now) run()
        return done
    }

    private companion object {
        const val PAGE = 4096L
    }
}
