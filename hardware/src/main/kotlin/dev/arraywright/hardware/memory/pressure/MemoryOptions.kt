package dev.arraywright.hardware.memory.pressure

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How [MemoryMonitor] judges.
 *
 * @property reserve bytes of the machine that should stay available; null for a 16th of it, from 64 MiB to 1 GiB. A
 *   cgroup's limit is kept at a distance in the same way
 * @property band part of a reserve by which more must be left before pressure is over
 * @property debounce how long pressure must last before it is told
 * @property hold how long things must be better before less pressure is told
 * @property period time between looks where the kernel cannot wake the monitor, and while there is pressure
 * @property gap least time between two looks, however often the kernel wakes the monitor
 * @property stall time that tasks stand still of one [stallWindow] for want of memory, from which it is pressure
 * @property stallWindow at first; where the kernel refuses it for lack of a capability, 2 s, with as much in proportion
 */
public data class MemoryOptions(
    val reserve: Long? = null,
    val band: Double = 0.25,
    val debounce: Duration = 300.milliseconds,
    val hold: Duration = 5.seconds,
    val period: Duration = 1.seconds,
    val gap: Duration = 100.milliseconds,
    val stall: Duration = 75.milliseconds,
    val stallWindow: Duration = 1.seconds,
) {
    init {
        require(reserve == null || reserve > 0) { "a reserve of $reserve bytes" }
        require(band >= 0) { "a band of $band" }
        require(gap.isPositive() && period >= gap) { "looks every $period, at least $gap apart" }
        require(!debounce.isNegative() && !hold.isNegative()) { "a debounce of $debounce, a hold of $hold" }
        require(stall.isPositive() && stall <= stallWindow) { "a stall of $stall in $stallWindow" }
    }

    /** The share of the time that tasks stand still from which it is pressure. */
    internal val stallShare: Double get() = stall / stallWindow

    internal fun machineReserve(total: Long): Long = reserve ?: distance(total).coerceAtLeast(LEAST)

    /** How far to stay away from a cgroup's limit of [bytes]. */
    internal fun distance(bytes: Long): Long = (bytes / 16).coerceIn(1, MOST)

    private companion object {
        const val LEAST = 64L shl 20
        const val MOST = 1L shl 30
    }
}
