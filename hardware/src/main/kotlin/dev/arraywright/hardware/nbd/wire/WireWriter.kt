package dev.arraywright.hardware.nbd.wire

import java.nio.ByteBuffer
import java.nio.channels.GatheringByteChannel

/**
 * Output of one connection: headers are laid one after the other in a slab, payloads are sent from where they lie,
 * all with gathering writes. One thread at a time; blocks. Payloads must stay untouched until [flush] returns.
 *
 * @param advanced called after each system call, which moves about a MiB at most
 */
internal class WireWriter(private val channel: GatheringByteChannel, private val advanced: () -> Unit = {}) {
    private val slab = ByteBuffer.allocateDirect(SLAB)
    private val parts = arrayOfNulls<ByteBuffer>(MAX_PARTS)
    private var count = 0
    private var bytes = 0
    private var mark = 0

    /** Room for a message's fixed part of at most [size] bytes, to be filled by relative puts. */
    fun header(size: Int): ByteBuffer {
        require(size <= SLAB) { "a header of $size bytes" }
        if (slab.remaining() < size || count > MAX_PARTS - 2) flush()
        return slab
    }

    /** Sends [data]'s remaining bytes after what has been put so far. */
    fun payload(data: ByteBuffer) {
        var from = data.position()
        while (from < data.limit()) {
            if (bytes >= STEP || count > MAX_PARTS - 3) flush()
            seal()
            val step = minOf(data.limit() - from, STEP)
            parts[count++] = data.slice(from, step)
            bytes += step
            from += step
        }
    }

    /** Returns when everything has been handed to the operating system. */
    fun flush() {
        seal()
        var first = 0
        while (first < count) {
            channel.write(parts, first, count - first)
            advanced()
            while (first < count && !parts[first]!!.hasRemaining()) first++
        }
        parts.fill(null, 0, count)
        count = 0
        bytes = 0
        slab.clear()
        mark = 0
    }

    private fun seal() {
        if (slab.position() > mark) {
            parts[count++] = slab.slice(mark, slab.position() - mark)
            mark = slab.position()
        }
    }

    private companion object {
        const val SLAB = 1 shl 16
        const val STEP = 1 shl 20
        const val MAX_PARTS = 256
    }
}
