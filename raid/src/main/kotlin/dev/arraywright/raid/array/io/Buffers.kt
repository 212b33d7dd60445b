package dev.arraywright.raid.array.io

import dev.arraywright.spi.memory.BufferAllocator
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger

/** Blocks for transfers, from an allocator while it has some, else plain; never waits. */
internal class Buffers(private val allocator: BufferAllocator) {
    /** A block of [size] bytes, content undefined, owned by the caller. */
    fun acquire(size: Int): Block = Block(memory(size), ::memory)

    private fun memory(size: Int): Block.Memory {
        val lease = if (size <= allocator.limit()) allocator.tryAcquire(size) else null
        return if (lease != null)
            Block.Memory(lease.buffer(), lease::close)
        else
            Block.Memory(ByteBuffer.allocateDirect(size)) {}
    }

    inline fun <T> use(size: Int, action: (Block) -> T): T {
        val block = acquire(size)
        try {
            return action(block)
        } finally {
            block.release()
        }
    }
}

/**
 * Direct memory shared by its user and the devices that transfer it: each of them releases it, and it goes back to
 * where it came from with the last one. So a device that missed a deadline never sees its buffer used again: by others
 * as it is not back before, and by the same user as that goes on with other memory, see [renew].
 */
internal class Block(first: Memory, private val another: (Int) -> Memory) {
    @Volatile
    private var current = first

    val memory: ByteBuffer get() = current.bytes

    /** Bytes [from] until [from] + [length] as a buffer of its own. */
    fun slice(from: Int, length: Int): ByteBuffer = memory.slice(from, length)

    /** For a device, until it releases what it gets. */
    fun share(): Memory = current.also { it.retain() }

    /**
     * The same bytes in other memory: a device that was given up may write to this one at any time. Not while somebody
     * waits for a device that has a part of it.
     */
    fun renew() {
        val late = current
        val fresh = another(late.bytes.capacity())
        fresh.bytes.put(0, late.bytes, 0, late.bytes.capacity())
        current = fresh
        late.release()
    }

    fun release() {
        current.release()
    }

    /** Memory that is free with its last user. */
    class Memory(val bytes: ByteBuffer, private val free: () -> Unit) {
        private val users = AtomicInteger(1)

        fun retain() {
            users.incrementAndGet()
        }

        fun release() {
            if (users.decrementAndGet() == 0) free()
        }
    }
}
