package dev.arraywright.raid.health

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Whether a member fails reads too often: each was cured from redundancy, but a device that has many is about to die.
 * Remembers no more failures than it takes to say so. Thread-safe; both limits are read at every failure.
 */
public class ReadErrorRate(
    time: TimeSource,
    private val limit: () -> Int = { 10 },
    private val window: () -> Duration = { 600.seconds },
) {
    private val origin = time.markNow()
    private val failures = ArrayDeque<Duration>()

    /** Counts a failed read; true once there were more than the limit within the window. */
    public fun failed(): Boolean = synchronized(failures) {
        val most = limit().coerceIn(0, MOST)
        failures.addLast(origin.elapsedNow())
        while (failures.size > most + 1) failures.removeFirst()
        forgetOld()
        failures.size > most
    }

    /** Failures within the window, counted up to one more than the limit. */
    public val recent: Int
        get() = synchronized(failures) {
            forgetOld()
            failures.size
        }

    /** Forgets all failures, as when the member was replaced. */
    public fun clear() {
        synchronized(failures) { failures.clear() }
    }

    private fun forgetOld() {
        val since = origin.elapsedNow() - window()
        while (failures.isNotEmpty() && failures.first() < since) failures.removeFirst()
    }

    private companion object {
        const val MOST = 100_000
    }
}
