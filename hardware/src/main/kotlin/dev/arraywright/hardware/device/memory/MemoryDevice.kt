package dev.arraywright.hardware.device.memory

import dev.arraywright.hardware.device.file.ExtentList
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.device.Extent
import java.nio.ByteBuffer
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicBoolean

/** Bytes off the heap in chunks that exist once they are written; those that do not read as zeroes. Thread-safe. */
internal class MemoryContent(val size: Long) {
    private val chunks = ConcurrentHashMap<Long, ByteBuffer>()

    fun chunk(index: Long): ByteBuffer? = chunks[index]

    /** Direct memory is bounded by the JVM: throws OutOfMemoryError at that bound. */
    fun materialised(index: Long): ByteBuffer =
        chunks.computeIfAbsent(index) { ByteBuffer.allocateDirect(CHUNK) }

    /** The garbage collector frees it, once no transfer is on it. */
    fun drop(index: Long) {
        chunks.remove(index)
    }

    companion object {
        const val CHUNK = 64 shl 10
    }
}

/** One opening of a [MemoryContent]. A chunk's lock makes transfers whole within it. */
internal class MemoryDevice(
    id: String,
    private val content: MemoryContent,
    readOnly: Boolean,
    private val release: () -> Unit,
) : BlockDevice {
    private val info =
        DeviceInfo(id, "", "", DeviceType.MEMORY, -1, content.size, BLOCK, PHYSICAL, readOnly, false)
    private val closed = AtomicBoolean()

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long) {
        require(!target.isReadOnly) { "the target of a read is a read-only buffer" }
        begin(offset, target.remaining().toLong(), writing = false)
        val start = target.position()
        inChunks(offset, target.remaining().toLong()) { index, from, count, done ->
            val chunk = content.chunk(index)
            val at = start + done.toInt()
            if (chunk == null) {
                target.put(at, ZEROES, from, count)
            } else {
                synchronized(chunk) { target.put(at, chunk, from, count) }
            }
        }
        target.position(target.limit())
    }

    override fun write(source: ByteBuffer, offset: Long) {
        begin(offset, source.remaining().toLong(), writing = true)
        val start = source.position()
        inChunks(offset, source.remaining().toLong()) { index, from, count, done ->
            modify(index) { it.put(from, source, start + done.toInt(), count) }
        }
        source.position(source.limit())
    }

    /** Memory is as stable as it gets. */
    override fun flush() {
        begin(0, 0, writing = false)
    }

    override fun discard(offset: Long, length: Long) {
        writeZeroes(offset, length)
    }

    override fun writeZeroes(offset: Long, length: Long) {
        begin(offset, length, writing = true)
        inChunks(offset, length) { index, from, count, _ ->
            if (count == MemoryContent.CHUNK) {
                content.drop(index)
            } else if (content.chunk(index) != null) {
                modify(index) { it.put(from, ZEROES, 0, count) }
            }
        }
    }

    override fun allocation(offset: Long, length: Long): List<Extent> {
        begin(offset, length, writing = false)
        val extents = ExtentList(offset, offset + length, BLOCK)
        inChunks(offset, length) { index, _, count, done ->
            if (content.chunk(index) == null) extents.hole(offset + done, offset + done + count)
        }
        return extents.finish()
    }

    override fun health(): DeviceHealth = DeviceHealth.GOOD

    override fun isOnline(): Boolean = !closed.get()

    override fun close() {
        if (closed.compareAndSet(false, true)) release()
    }

    private fun begin(offset: Long, length: Long, writing: Boolean) {
        info.checkRange(offset, length)
        if (closed.get()) throw DeviceGoneException(info.id(), "closed", null)
        if (writing && info.readOnly()) throw WriteProtectedException(info.id())
    }

    /** Changes a chunk that, once locked, is still part of the content: zeroes may have replaced it meanwhile. */
    private inline fun modify(index: Long, change: (ByteBuffer) -> Unit) {
        while (true) {
            val chunk = try {
                content.materialised(index)
            } catch (e: OutOfMemoryError) {
                throw OutOfSpaceException(info.id(), e)
            }
            synchronized(chunk) {
                if (content.chunk(index) === chunk) {
                    change(chunk)
                    return
                }
            }
        }
    }

    private inline fun inChunks(
        offset: Long,
        length: Long,
        each: (index: Long, from: Int, count: Int, done: Long) -> Unit,
    ) {
        var done = 0L
        while (done < length) {
            val from = ((offset + done) % MemoryContent.CHUNK).toInt()
            val count = minOf((MemoryContent.CHUNK - from).toLong(), length - done).toInt()
            each((offset + done) / MemoryContent.CHUNK, from, count, done)
            done += count
        }
    }

    companion object {
        const val BLOCK = 512
        private const val PHYSICAL = 4096
        private val ZEROES = ByteBuffer.allocateDirect(MemoryContent.CHUNK).asReadOnlyBuffer()
    }
}
