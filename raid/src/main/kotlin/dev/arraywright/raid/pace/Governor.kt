package dev.arraywright.raid.pace

import kotlin.math.pow

/**
 * The control law of [Pacer], apart from time to wait and bytes to count: from what [Foreground] has seen it decides
 * about the rate and when to be quiet. Used by one caller at a time.
 */
internal class Governor(private val foreground: Foreground) {
    private val idle = Latencies()
    private val fresh = Latencies()
    private val loaded = Latencies()
    private var starting = true
    private var windowSince = 0L
    private var lookedAt = 0L
    private var quietSince = 0L
    private var quietDue = Long.MIN_VALUE

    /** Bytes/s that the law arrived at, before the limits; read from anywhere. */
    @Volatile
    var rate: Double = 0.0
        private set

    var quiet: Boolean = false
        private set

    /** Whether it was the rate that work waited for since the last change; otherwise more of it would say nothing. */
    var held: Boolean = false

    /** To be called often while work goes on or waits, and clients are active. */
    fun look(now: Long, limits: PaceLimits) {
        if (now - lookedAt > STALE) forget(now)
        if (now - lookedAt < LOOK) return
        lookedAt = now
        foreground.besideWork.drainTo(loaded)
        if (quiet) listen(now) else if (now >= quietDue) beQuiet(now)
        if (!quiet) adjust(now, limits)
    }

    /** No clients, or no regard for them: nothing to listen for. */
    fun rest() {
        if (quiet) foreground.noise()
        quiet = false
        held = false
    }

    /** Nobody has looked for a while: what was counted is of another time. */
    private fun forget(now: Long) {
        rest()
        foreground.besideWork.drainTo(loaded)
        foreground.calm.drainTo(fresh)
        loaded.clear()
        fresh.clear()
        windowSince = now
        quietDue = now
        lookedAt = now - LOOK
    }

    private fun beQuiet(now: Long) {
        quiet = true
        quietSince = now
        foreground.quiet(now)
    }

    private fun listen(now: Long) {
        foreground.calm.drainTo(fresh)
        val age = now - quietSince
        val enough = when {
            age >= MOST_QUIET -> true
            age >= QUIET -> fresh.total >= 50
            age >= LEAST_QUIET -> fresh.total >= 200
            else -> false
        }
        if (!enough) return
        idle.scale(kept(idle, IDLE_KEPT))
        idle.add(fresh)
        fresh.clear()
        foreground.noise()
        quiet = false
        quietDue = now + BETWEEN
    }

    private fun adjust(now: Long, limits: PaceLimits) {
        val age = now - windowSince
        val full = loaded.total >= 50 && age >= WINDOW || loaded.total >= FEW && age >= LONG_WINDOW
        if (!full || idle.total < FEW) return
        val known = minOf(loaded.total, idle.total)
        val q = (1 - TAIL / known).coerceIn(0.5, 0.99)
        val room = limits.target / (loaded.quantile(q) / idle.quantile(q))
        // What made the rate go down must not do so twice; what lets it go up may be remembered.
        if (room < 1) loaded.clear() else loaded.scale(kept(loaded, LOADED_KEPT))
        val factor = factor(room, minOf(1.0, known / ENOUGH))
        rate = (rate.coerceAtLeast(limits.floor.toDouble()) * factor).coerceAtMost(limits.ceiling.orNone())
        held = false
        windowSince = now
    }

    private fun factor(room: Double, sureness: Double): Double {
        if (room < STARTING_ROOM) starting = false
        return when {
            room < 1 -> room.pow(DOWN).coerceAtLeast(0.5)
            !held -> 1.0
            starting && sureness > STARTING_SURENESS -> 2.0
            else -> room.pow(UP * sureness).coerceAtMost(1.25)
        }
    }

    /** How much of what is known to keep: as much as [share], but enough for the tail to be seen. */
    private fun kept(latencies: Latencies, share: Double) = (ENOUGH / latencies.total).coerceIn(share, 1.0)

    private fun Long?.orNone() = this?.toDouble() ?: Double.MAX_VALUE

    internal companion object {
        /** No work is let in for longer than this at once. */
        const val MOST_QUIET = 250 * MILLISECOND
        private const val QUIET = 150 * MILLISECOND
        private const val LEAST_QUIET = 75 * MILLISECOND
        private const val BETWEEN = 2000 * MILLISECOND
        private const val WINDOW = 100 * MILLISECOND
        private const val LONG_WINDOW = 500 * MILLISECOND
        private const val LOOK = 5 * MILLISECOND
        private const val STALE = BETWEEN
        private const val FEW = 5.0

        /** How many latencies must lie above a quantile for it to mean something. */
        private const val TAIL = 3.0

        /** So many make a p99. */
        private const val ENOUGH = 100 * TAIL
        private const val IDLE_KEPT = 0.85
        private const val LOADED_KEPT = 0.8
        private const val STARTING_ROOM = 1.2
        private const val STARTING_SURENESS = 0.15
        private const val DOWN = 0.7
        private const val UP = 0.25
    }
}
