package dev.arraywright.raid.array.io

import dev.arraywright.spi.memory.BufferAllocator
import java.nio.ByteBuffer
import java.util.concurrent.atomic.AtomicInteger

/** Blocks for transfers, from an allocator while it has some, else plain; never waits. */
internal class Buffers(private val allocator: BufferAllocator) {
    /** A block of [size] bytes, content undefined, owned by the caller. */
    fun acquire(size: Int): Block {
        val lease = if (size <= allocator.limit()) allocator.tryAcquire(size) else null
        return if (lease != null) Block(lease.buffer(), lease::close) else Block(ByteBuffer.allocateDirect(size)) {}
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
 * where it came from with the last one. So a device that missed a deadline never sees its buffer used again.
 */
internal class Block(val memory: ByteBuffer, private val free: () -> Unit) {
    private val users = AtomicInteger(1)

    /** Bytes [from] until [from] + [length] as a buffer of its own. */
    fun slice(from: Int, length: Int): ByteBuffer = memory.slice(from, length)

    fun retain() {
        users.incrementAndGet()
    }

    fun release() {
        if (users.decrementAndGet() == 0) free()
    }
}
