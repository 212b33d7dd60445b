package dev.arraywright.raid.simulation

import dev.arraywright.raid.cache.ReadCache
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.delay
import kotlin.random.Random

/** A story's read cache: small, short of memory now and then, and told to give it back and to grow again. */
internal class SmallCache(seed: Long, buffers: BufferAllocator) {
    private val random = Random(seed xor 0xcac4e)
    private val limit = BLOCK.toLong() shl random.nextInt(8)
    val cache = ReadCache(limit, Stingy(buffers, random), BLOCK)

    suspend fun squeeze() {
        try {
            repeat(random.nextInt(4)) {
                delay(random.nextLong(100))
                cache.shrinkTo(limit * random.nextInt(4) / 4)
                delay(random.nextLong(50))
                cache.limit = limit
            }
        } finally {
            cache.limit = limit
        }
    }

    /** Has nothing one time in sixteen. What comes back is overwritten: whoever still reads it is found out. */
    private class Stingy(private val from: BufferAllocator, private val random: Random) : BufferAllocator by from {
        override fun tryAcquire(size: Int): BufferAllocator.Lease? {
            val lease = if (random.nextInt(16) > 0) from.tryAcquire(size) else null
            return lease?.let {
                object : BufferAllocator.Lease by it {
                    override fun close() {
                        for (i in 0 until size) it.buffer().put(i, 0x66)
                        it.close()
                    }
                }
            }
        }
    }

    private companion object {
        const val BLOCK = 4096
    }
}
