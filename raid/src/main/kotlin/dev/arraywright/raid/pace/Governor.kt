package dev.arraywright.raid.pace

import kotlin.math.exp
import kotlin.math.sqrt

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

    /** Nanoseconds that half of the requests take at most without work, 0 if it is not known; read from anywhere. */
    @Volatile
    var typical: Double = 0.0
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
        if (quiet)
            listen(now)
        else if (now >= quietDue)
            beQuiet(now)
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
        if (idle.total >= FEW) typical = idle.quantile(0.5)
        foreground.noise()
        quiet = false
        quietDue = now + if (idle.total < UNSURE) BETWEEN / 2 else BETWEEN
    }

    private fun adjust(now: Long, limits: PaceLimits) {
        val age = now - windowSince
        val full = age >= if (loaded.total >= 50) WINDOW else LONG_WINDOW
        if (!full || loaded.total < 1 || idle.total < FEW) return
        val slow = loaded.above(limits.target * idle.quantile(0.99))
        val factor = factor(loaded.total, slow)
        rate = (rate.coerceAtLeast(limits.floor.toDouble()) * factor).coerceAtMost(limits.ceiling.orNone())
        loaded.clear()
        held = false
        windowSince = now
    }

    private fun factor(requests: Double, slow: Double): Double {
        // A single one may be chance; more mean that the last doublings were too many.
        if (starting && slow > 1 + 0.01 * requests) {
            starting = false
            return exp(-2 * MOST_DOWN)
        }
        val step = (STEP / sqrt(requests)).coerceAtMost(MOST_UP) * (SLOW_SHARE * requests - slow)
        return when {
            step < 0 -> exp(step.coerceAtLeast(-MOST_DOWN))
            !held -> 1.0
            starting -> exp((requests / 50).coerceAtMost(1.0) * MOST_DOWN)
            else -> exp(step.coerceAtMost(MOST_UP))
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

        /** So many make a p99: five are above it. */
        private const val ENOUGH = 500.0
        private const val UNSURE = 100
        private const val IDLE_KEPT = 0.85

        /** Of so many requests that are slower than the target the rate stays; a few less than the hundredth of p99. */
        private const val SLOW_SHARE = 0.008

        /** Of 100 requests one slow one takes a tenth off the rate: chance moves it as much in windows of any size. */
        private const val STEP = 1.2
        private const val MOST_DOWN = 0.7
        private const val MOST_UP = 0.25
    }
}
