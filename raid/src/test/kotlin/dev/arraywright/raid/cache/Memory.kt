package dev.arraywright.raid.cache

import dev.arraywright.spi.memory.BufferAllocator
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicLong

/** Memory that is overwritten when it comes back, so that whoever still reads it is found out. */
internal class Memory(private val limit: Long) : BufferAllocator {
    private val out = AtomicLong()

    /** What happens while somebody takes memory. */
    var meanwhile: () -> Unit = {}

    override fun acquire(size: Int): BufferAllocator.Lease = error("a cache does not wait for memory")

    override fun tryAcquire(size: Int): BufferAllocator.Lease? {
        meanwhile()
        if (out.addAndGet(size.toLong()) > limit) {
            out.addAndGet(-size.toLong())
            return null
        }
        return object : BufferAllocator.Lease {
            private val bytes = ByteBuffer.allocateDirect(size)
            private var open = true

            override fun buffer(): ByteBuffer = bytes

            override fun close() {
                check(open) { "closed twice" }
                open = false
                for (i in 0 until size) bytes.put(i, POISON)
                out.addAndGet(-size.toLong())
            }
        }
    }

    override fun limit(): Long = limit

    override fun inUse(): Long = out.get()

    companion object {
        const val POISON: Byte = 0x66
    }
}
