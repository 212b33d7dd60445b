package dev.arraywright.samples.benchmarks.device

import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceType
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicReferenceArray
import kotlin.math.roundToLong

/**
 * What a modelled disk can do.
 *
 * @property rate bytes/s of all transfers together, which follow each other
 * @property seek nanoseconds before the transfer of a request that does not go on where the last one ended
 * @property lanes requests that may seek at once; the others wait, first come, first served
 */
internal data class Model(val rate: Long, val seek: Long, val lanes: Int) {
    init {
        require(rate > 0 && seek >= 0 && lanes > 0) { "no disk is like this: $this" }
    }
}

/**
 * A disk of its own, in real time: what it does depends on nothing but what is asked of it. Its content is in memory,
 * and takes none where it is zeroes. A transfer's bytes are moved when it is asked for, and it ends when it is due.
 */
internal class ModelDisk(id: String, size: Long, private val model: Model, private val alarm: Alarm) :
    AsyncBlockDevice {
    private val info = DeviceInfo(id, "model", id, DeviceType.OTHER, -1, size, BLOCK, BLOCK, false, true)
    private val blocks = AtomicReferenceArray<ByteArray?>(Math.toIntExact(size / BLOCK))
    private val laneFree = LongArray(model.lanes) { System.nanoTime() }
    private var transferFree = System.nanoTime()
    private var head = 0L

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
        val length = target.remaining()
        info.checkRange(offset, length.toLong())
        for (done in 0 until length step BLOCK) {
            target.put(target.position() + done, block(offset + done) ?: ZEROES)
        }
        return after(due(offset, length.toLong()))
    }

    override fun write(source: ByteBuffer, offset: Long): CompletionStage<Void> {
        val length = source.remaining()
        info.checkRange(offset, length.toLong())
        for (done in 0 until length step BLOCK) {
            val own = source.slice(source.position() + done, BLOCK)
            val index = ((offset + done) / BLOCK).toInt()
            if (own.mismatch(ZERO) < 0)
                blocks.set(index, null)
            else
                blocks.set(
                    index,
                    ByteArray(BLOCK).also {
                        own.get(it)
                    },
                )
        }
        return after(due(offset, length.toLong()))
    }

    /** Takes a seek once all that came before has ended. */
    override fun flush(): CompletionStage<Void> = after(
        synchronized(this) {
            maxOf(laneFree.max(), System.nanoTime())
        } + model.seek,
    )

    override fun discard(offset: Long, length: Long): CompletionStage<Void> = writeZeroes(offset, length)

    override fun writeZeroes(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        for (done in 0 until length step BLOCK.toLong()) blocks.set(((offset + done) / BLOCK).toInt(), null)
        return after(due(offset, 0))
    }

    override fun isOnline(): Boolean = true

    override fun close() = Unit

    private fun block(offset: Long) = blocks.get((offset / BLOCK).toInt())

    private fun after(at: Long): CompletionStage<Void> = CompletableFuture<Void>().also {
        alarm.at(at) { it.complete(null) }
    }

    @Synchronized
    private fun due(offset: Long, length: Long): Long {
        var lane = 0
        for (other in laneFree.indices) if (laneFree[other] - laneFree[lane] < 0) lane = other
        val found = maxOf(System.nanoTime(), laneFree[lane]) + if (offset == head) 0 else model.seek
        val end = maxOf(found, transferFree) + (length * 1e9 / model.rate).roundToLong()
        head = offset + length
        transferFree = end
        laneFree[lane] = end
        return end
    }

    private companion object {
        const val BLOCK = 4096
        val ZEROES = ByteArray(BLOCK)
        val ZERO: ByteBuffer = ByteBuffer.allocateDirect(BLOCK)
    }
}
