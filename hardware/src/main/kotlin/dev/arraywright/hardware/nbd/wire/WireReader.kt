package dev.arraywright.hardware.nbd.wire

import java.io.EOFException
import java.nio.ByteBuffer
import java.nio.channels.ReadableByteChannel

/**
 * Buffered input of one connection: many small messages come with one system call, and large payloads go straight
 * to their buffer. One thread at a time; blocks; an end in mid-message is an [EOFException].
 *
 * @param arrived called after each read that brought bytes
 */
internal class WireReader(private val channel: ReadableByteChannel, private val arrived: () -> Unit = {}) {
    private val buffer: ByteBuffer = ByteBuffer.allocateDirect(CAPACITY).limit(0)

    /** Waits for a byte to be there; false if the peer has ended. */
    fun awaitByte(): Boolean {
        if (buffer.hasRemaining()) return true
        buffer.clear()
        val count = channel.read(buffer)
        buffer.flip()
        if (count > 0) arrived()
        return count > 0
    }

    /** Waits until the next [count] bytes can be taken without waiting. */
    fun require(count: Int) {
        check(count <= CAPACITY) { "$count bytes do not fit $CAPACITY" }
        if (buffer.remaining() >= count) return
        buffer.compact()
        try {
            while (buffer.position() < count) receive(buffer)
        } finally {
            buffer.flip()
        }
    }

    fun unsignedShort(): Int = buffer.short.toInt() and 0xffff

    fun int(): Int = buffer.int

    fun unsignedInt(): Long = buffer.int.toLong() and 0xffffffffL

    fun long(): Long = buffer.long

    /** Fills [target] to its limit. */
    fun fill(target: ByteBuffer) {
        val ready = minOf(buffer.remaining(), target.remaining())
        if (ready > 0) {
            target.put(buffer.slice(buffer.position(), ready))
            buffer.position(buffer.position() + ready)
        }
        while (target.hasRemaining()) {
            // A short rest goes through the buffer, so that what follows it comes with the same call.
            if (target.remaining() < CAPACITY / 4) {
                require(target.remaining())
                return fill(target)
            }
            receive(target)
        }
    }

    /** Takes [count] bytes, for data of bounded length. */
    fun bytes(count: Int): ByteBuffer = ByteBuffer.allocate(count).also { fill(it) }.flip()

    /** Reads past [count] bytes without keeping them. */
    fun skip(count: Long) {
        var left = count
        while (left > 0) {
            if (!awaitByte()) throw EOFException("the peer ended with $left bytes owing")
            val step = minOf(left, buffer.remaining().toLong()).toInt()
            buffer.position(buffer.position() + step)
            left -= step
        }
    }

    private fun receive(target: ByteBuffer) {
        if (channel.read(target) < 0) throw EOFException("the peer ended in the middle of a message")
        arrived()
    }

    private companion object {
        const val CAPACITY = 1 shl 16
    }
}
