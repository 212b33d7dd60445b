package dev.arraywright.hardware.device

import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.memory.BufferAllocator
import java.lang.foreign.MemorySegment
import java.lang.ref.Reference
import java.nio.ByteBuffer

/**
 * What files and block special files have in common: positional transfers by pread and pwrite on a descriptor of our
 * own. Not FileChannel, because an interrupt closes that one, and because it hides the error number.
 *
 * Heap buffers, and those that O_DIRECT would refuse for their address, travel in pieces through a pool buffer.
 */
internal abstract class DescriptorDevice(
    private val info: DeviceInfo,
    protected val descriptor: Descriptor,
    private val memoryAlignment: Int,
    private val buffers: BufferAllocator,
    private val claim: AutoCloseable,
) : BlockDevice {
    protected val failures: IoFailures = IoFailures(info.id())

    @Volatile private var gone: DeviceGoneException? = null

    final override fun info(): DeviceInfo = info

    final override fun read(target: ByteBuffer, offset: Long) {
        require(!target.isReadOnly) { "the target of a read is a read-only buffer" }
        val length = target.remaining()
        begin(offset, length.toLong())
        if (reachable(target)) {
            readFully(MemorySegment.ofBuffer(target).address(), length, offset)
            Reference.reachabilityFence(target)
        } else {
            inPieces(length) { piece, done ->
                readFully(MemorySegment.ofBuffer(piece).address(), piece.remaining(), offset + done)
                target.put(target.position() + done, piece, 0, piece.remaining())
            }
        }
        target.position(target.limit())
    }

    final override fun write(source: ByteBuffer, offset: Long) {
        val length = source.remaining()
        begin(offset, length.toLong())
        requireWritable()
        if (reachable(source)) {
            writeFully(MemorySegment.ofBuffer(source).address(), length, offset)
            Reference.reachabilityFence(source)
        } else {
            inPieces(length) { piece, done ->
                piece.put(0, source, source.position() + done, piece.remaining())
                writeFully(MemorySegment.ofBuffer(piece).address(), piece.remaining(), offset + done)
            }
        }
        source.position(source.limit())
    }

    final override fun flush() {
        begin(0, 0)
        val startedAt = System.nanoTime()
        val result = descriptor.fdatasync()
        if (result < 0) throw failure("fdatasync", result, 0, info.size(), startedAt)
    }

    final override fun discard(offset: Long, length: Long) {
        begin(offset, length)
        requireWritable()
        val startedAt = System.nanoTime()
        val result = if (length == 0L) 0 else discardRange(offset, length)
        if (result < 0 && !unsupported(result)) throw failure("discard", result, offset, length, startedAt)
    }

    final override fun writeZeroes(offset: Long, length: Long) {
        begin(offset, length)
        requireWritable()
        val startedAt = System.nanoTime()
        val result = if (length == 0L) 0 else zeroRange(offset, length)
        if (unsupported(result)) {
            super.writeZeroes(offset, length)
        } else if (result < 0) {
            throw failure("write zeroes", result, offset, length, startedAt)
        }
    }

    final override fun isOnline(): Boolean = gone == null && descriptor.isOpen

    final override fun health(): DeviceHealth =
        gone?.let { DeviceHealth(DeviceHealth.Status.FAILED, it.message.orEmpty()) } ?: DeviceHealth.GOOD

    final override fun close() {
        descriptor.close()
        claim.close()
    }

    /** Returns a negative errno on failure; EOPNOTSUPP where the device cannot. */
    protected abstract fun discardRange(offset: Long, length: Long): Long

    /** As [discardRange]. */
    protected abstract fun zeroRange(offset: Long, length: Long): Long

    /** True if, as far as can be told after a failure, the device is no longer there. */
    protected abstract fun vanished(): Boolean

    /** Checks the range, and that the device is there. */
    protected fun begin(offset: Long, length: Long) {
        info.checkRange(offset, length)
        if (!descriptor.isOpen) throw failures.closed()
        gone?.let { throw DeviceGoneException(info.id(), "it went before", it) }
    }

    protected fun failure(call: String, result: Long, offset: Long, length: Long, startedAt: Long): DeviceIoException {
        if (!descriptor.isOpen) return failures.closed()
        val errno = if (vanished()) Errno.ENODEV else -result.toInt()
        return failures.of(call, errno, offset, length, startedAt).also { if (it is DeviceGoneException) gone = it }
    }

    private fun requireWritable() {
        if (info.readOnly()) throw WriteProtectedException(info.id())
    }

    private fun reachable(buffer: ByteBuffer): Boolean =
        buffer.isDirect && MemorySegment.ofBuffer(buffer).address() % memoryAlignment == 0L

    private fun readFully(address: Long, length: Int, offset: Long) {
        var done = 0
        while (done < length) {
            val startedAt = System.nanoTime()
            val result = descriptor.pread(address + done, (length - done).toLong(), offset + done)
            if (result < 0) throw readFailure(result, address + done, offset + done, length - done, startedAt)
            // O_DIRECT goes on at whole blocks only; less than one means the device ends here although it should not.
            val blocks = result.toInt() and (info.logicalBlockSize() - 1).inv()
            if (blocks == 0) throw endedEarly(offset + done, length - done, startedAt)
            done += blocks
        }
    }

    private fun writeFully(address: Long, length: Int, offset: Long) {
        var done = 0
        while (done < length) {
            val startedAt = System.nanoTime()
            val result = descriptor.pwrite(address + done, (length - done).toLong(), offset + done)
            if (result < 0) throw failure("pwrite", result, offset + done, (length - done).toLong(), startedAt)
            val blocks = result.toInt() and (info.logicalBlockSize() - 1).inv()
            if (blocks == 0) throw endedEarly(offset + done, length - done, startedAt)
            done += blocks
        }
    }

    private fun endedEarly(offset: Long, length: Int, startedAt: Long): DeviceIoException =
        failure("transfer past the end", -Errno.EIO.toLong(), offset, length.toLong(), startedAt)

    private fun readFailure(
        result: Long,
        address: Long,
        offset: Long,
        length: Int,
        startedAt: Long,
    ): DeviceIoException {
        val failure = failure("pread", result, offset, length.toLong(), startedAt)
        if (failure !is MediumErrorException || length <= info.physicalBlockSize()) return failure
        // Nothing bad left: a passing fault, reported as it was seen.
        val bad = BadRange.find(offset, length.toLong(), info.physicalBlockSize()) { at, count ->
            descriptor.pread(address + (at - offset), count, at) == count
        }
        return if (bad == null) failure else MediumErrorException(info.id(), bad.offset, bad.length, failure.cause)
    }

    private inline fun inPieces(length: Int, transfer: (piece: ByteBuffer, done: Int) -> Unit) {
        if (length == 0) return
        acquire(minOf(length, PIECE)).use { lease ->
            for (done in 0 until length step PIECE) {
                val piece = lease.buffer().clear().limit(minOf(PIECE, length - done))
                transfer(piece, done)
            }
        }
    }

    /** An interrupt is no reason to fail a transfer; the thread keeps its mark. */
    private fun acquire(size: Int): BufferAllocator.Lease {
        var interrupted = false
        try {
            while (true) {
                try {
                    return buffers.acquire(size)
                } catch (_: InterruptedException) {
                    interrupted = true
                }
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt()
        }
    }

    protected fun unsupported(result: Long): Boolean =
        result == -Errno.EOPNOTSUPP.toLong() || result == -Errno.ENOSYS.toLong() || result == -Errno.ENOTTY.toLong()

    private companion object {
        const val PIECE = 256 * 1024
    }
}
