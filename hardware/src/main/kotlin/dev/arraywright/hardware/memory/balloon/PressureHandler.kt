package dev.arraywright.hardware.memory.balloon

import dev.arraywright.spi.memory.MemoryPressure.Level

/**
 * Someone who can give memory back. It gives back what costs nothing but time to have again: idle buffers, clean cache;
 * never a dirty block, never what somebody waits for. Given back means to the kernel, not kept in a list of one's own.
 */
public fun interface PressureHandler {
    /**
     * Gives back up to [PressureAsk.bytes] and returns how many it gave. Called by one coroutine at a time, and
     * cancelled at the deadline; whoever does not end then is not asked again until it has.
     */
    public suspend fun release(ask: PressureAsk): Long

    /**
     * There is enough again: grows back by one step. Returns true once it is as large as it ever would be; until then
     * it is called again after a while.
     */
    public suspend fun relax(): Boolean = true

    /**
     * Bytes that [release] could give back now, quickly told: of what a stall, which has no amount, asks for a part.
     */
    public fun reclaimable(): Long = 0
}

/** What a [PressureHandler] is asked for. */
public data class PressureAsk(val bytes: Long, val level: Level)
