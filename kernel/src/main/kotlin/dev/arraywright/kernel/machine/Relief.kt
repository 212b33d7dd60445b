package dev.arraywright.kernel.machine

import dev.arraywright.hardware.memory.balloon.PressureAsk
import dev.arraywright.hardware.memory.balloon.PressureHandler
import dev.arraywright.raid.cache.ReadCache
import dev.arraywright.spi.memory.MemoryPressure

/** Has the arrays' read cache give memory back when it is short; after idle buffers, which nobody misses. */
internal class Relief(cache: ReadCache, machine: Machine?) : AutoCloseable {
    private val registration =
        machine?.balloon?.registerPressureHandler("read cache", order = 10, handler = CacheClient(cache))

    override fun close() {
        registration?.close()
    }
}

/** Gives up clean blocks, the least useful first, and there are no others; grows back by an eighth at a time. */
internal class CacheClient(private val cache: ReadCache) : PressureHandler {
    private val whole = cache.limit

    override suspend fun release(ask: PressureAsk): Long {
        val held = reclaimable()
        val keep = if (ask.level == MemoryPressure.Level.CRITICAL) 0 else (held - ask.bytes).coerceAtLeast(0)
        return cache.shrinkTo(keep)
    }

    override suspend fun relax(): Boolean {
        cache.limit = (cache.limit + (whole / STEPS).coerceAtLeast(1)).coerceAtMost(whole)
        return cache.limit == whole
    }

    override fun reclaimable(): Long = cache.stats.bytes

    private companion object {
        const val STEPS = 8
    }
}
