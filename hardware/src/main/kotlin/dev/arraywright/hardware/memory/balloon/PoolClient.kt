package dev.arraywright.hardware.memory.balloon

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.spi.memory.MemoryPressure.Level

/**
 * Lets a [BufferPool] give back its idle memory, and that of what was set aside from it: only idle memory, so nobody
 * loses anything but the time to have it again. Until pressure is over, no more stays idle than did after that.
 */
public class PoolClient(private val pool: BufferPool) : PressureHandler {
    override suspend fun release(ask: PressureAsk): Long {
        val idle = reclaimable()
        val keep = if (ask.level == Level.CRITICAL) 0 else (idle - ask.bytes).coerceAtLeast(0)
        pool.idleLimit = minOf(pool.idleLimit, keep)
        return (idle - reclaimable()).coerceAtLeast(0)
    }

    /** Lets an eighth of the pool more stay idle. */
    override suspend fun relax(): Boolean {
        val step = (pool.limit() / STEPS).coerceAtLeast(1)
        val next = minOf(pool.idleLimit, pool.limit()) + step
        val isFull = next >= pool.limit()
        pool.idleLimit = if (isFull) Long.MAX_VALUE else next
        return isFull
    }

    override fun reclaimable(): Long = pool.stats().run { idle + idleInReserves }

    private companion object {
        const val STEPS = 8
    }
}
