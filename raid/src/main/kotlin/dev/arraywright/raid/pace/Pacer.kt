package dev.arraywright.raid.pace

import kotlinx.coroutines.delay
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.TimeSource

/**
 * How fast background work (rebuild, resync, scrub) may go beside clients.
 *
 * Priority is a promise to clients: they become slower by the factor that [PaceLimits.priority] stands for, and not by
 * more. What a rate in bytes/s costs them depends on devices, level and load, so no fixed rate or sleep can keep that
 * promise; hence feedback.
 *
 *     no client for 200 ms                        the ceiling is the only limit, and work never stops
 *     clients: every 2 s a quiet interval         no work is let in for 75 to 250 ms; what requests take then is
 *                                                 what they take without it: the reference
 *     clients: every window of 100 ms or more     how many of all other requests took longer than the target factor
 *                                                 times the reference's p99: 0.8 % leave the rate as it is, more take
 *                                                 it down, fewer let it grow
 *
 * - It is p99, not the mean: a batch hits few requests, but those hard, and the promise is about them. To count those
 *   above the bound keeps p99 below it over time, however few requests a window has, where a p99 of each window would
 *   need hundreds; and 0.8 instead of 1 % leaves some margin.
 * - All requests outside quiet intervals count, not only those that met work: it is what clients see.
 * - The reference is taken again and again because load changes it, and only in intervals that nobody's latency has
 *   chosen: those requests that happen to meet no work are the short ones.
 * - The rate moves by factors, at most by half down and a quarter up: the distance between floor and what devices can
 *   do is a matter of magnitudes. It only grows if it was the rate that held work back, and doubles until it is first
 *   above the target.
 * - A batch holds up whatever queues behind it, so what the rate allows is asked for in small pieces: see [batch].
 * - With few clients on fast devices p99 is kept by meeting fewer than one of a hundred, which may mean the floor.
 *
 * Limits are read at every use, and every 50 ms by who waits. One call of [admit] waits `bytes / floor` and one quiet
 * interval at most, callers before it aside: first come, first served. Thread-safe.
 */
public class Pacer(time: TimeSource, private val limits: () -> PaceLimits) {
    private val foreground = Foreground(time)
    private val turn = Mutex()
    private val governor = Governor(foreground)
    private var credit = 0.0
    private var creditedAt = 0L

    /** A client's request begins; give what this returns to [ended]. Lock-free, allocates nothing. */
    public fun started(): Long = foreground.started()

    /** The request that [started] returned [request] for has ended, well or not. Lock-free, allocates nothing. */
    public fun ended(request: Long) {
        foreground.ended(request)
    }

    /** Bytes/s allowed now; [Long.MAX_VALUE] if there is no limit. */
    public val rate: Long get() = allowed(limits(), foreground.now())

    /**
     * How many bytes to do at once: [largest] without clients; with some, what a device of 100 MB/s transfers in the
     * time that a client's request may take longer. A small batch is hardly seen by clients, but where each costs a
     * seek it wastes the rate, and there requests take long anyway. From 1 to 50 ms of the rate, and at least 64 KiB.
     */
    public fun batch(largest: Long): Long {
        val now = foreground.now()
        val limits = limits()
        if (!heeded(limits, now)) return largest
        val allowed = allowed(limits, now)
        val bearable = (governor.typical * (limits.target - 1) * USUAL_SPEED / SECOND).toLong()
        return bearable.coerceIn(allowed / 1000, allowed / 20).coerceAtLeast(SMALLEST).coerceAtMost(largest)
    }

    /** Does [action], which is background work on [bytes], once it may go on. */
    public suspend inline fun <T> work(bytes: Long, action: () -> T): T {
        admit(bytes)
        try {
            return action()
        } finally {
            finished()
        }
    }

    /** Suspends until [bytes] of background work may go on; then each needs its [finished]. */
    public suspend fun admit(bytes: Long) {
        require(bytes >= 0) { "$bytes bytes of work" }
        turn.withLock {
            val asked = foreground.now()
            while (true) {
                val wait = ask(bytes, asked)
                if (wait <= 0) break
                delay(wait.coerceAtMost(SLICE).nanoseconds)
            }
            foreground.workBegan()
        }
    }

    /** What one [admit] let in is done, well or not. */
    public fun finished() {
        foreground.workEnded()
    }

    private fun heeded(limits: PaceLimits, now: Long) = limits.priority < PaceLimits.MOST && foreground.active(now)

    private fun allowed(limits: PaceLimits, now: Long): Long {
        val ceiling = limits.ceiling ?: Long.MAX_VALUE
        return if (heeded(limits, now)) governor.rate.toLong().coerceIn(limits.floor, ceiling) else ceiling
    }

    /** 0 if [bytes] may go now, or else nanoseconds after which to ask again; by one caller at a time. */
    private fun ask(bytes: Long, asked: Long): Long {
        val now = foreground.now()
        val limits = limits()
        val heeded = heeded(limits, now)
        if (heeded && limits.heedsClients) governor.look(now, limits) else governor.rest()
        val short = shortOf(bytes, speed(limits, now, heeded), now)
        val paused = if (heeded) pauseEnd(limits, bytes, asked) - now else 0
        val wait = when {
            governor.quiet -> LISTENING
            short > 0 -> short
            else -> paused
        }
        if (short > 0 && !governor.quiet) governor.held = true
        if (wait <= 0) credit -= bytes
        return wait
    }

    private fun speed(limits: PaceLimits, now: Long, heeded: Boolean): Double {
        val rate = allowed(limits, now).toDouble()
        if (!heeded) return rate
        // Quiet intervals may take a fifth of the time; the floor holds over all of it.
        return maxOf(rate, minOf(limits.floor * OVER_FLOOR, limits.ceiling?.toDouble() ?: Double.MAX_VALUE))
    }

    /** Lets credit grow at [speed] and returns the nanoseconds until there is enough for [bytes]. */
    private fun shortOf(bytes: Long, speed: Double, now: Long): Long {
        val grown = credit + speed * (now - creditedAt) / SECOND
        creditedAt = now
        // More than a little credit would be a burst after each lull.
        credit = minOf(grown, maxOf(bytes.toDouble(), speed * BURST / SECOND))
        if (speed >= Long.MAX_VALUE.toDouble()) credit = bytes.toDouble()
        return if (credit >= bytes) 0 else ((bytes - credit) / speed * SECOND).toLong() + 1
    }

    private fun pauseEnd(limits: PaceLimits, bytes: Long, asked: Long): Long = minOf(
        foreground.worked + limits.pause.inWholeNanoseconds,
        asked + (bytes.toDouble() / limits.floor * SECOND).toLong(),
    )

    private companion object {
        const val SECOND = 1000 * MILLISECOND
        const val SLICE = 50 * MILLISECOND
        const val LISTENING = 10 * MILLISECOND
        const val BURST = 20 * MILLISECOND
        const val USUAL_SPEED = 100_000_000
        const val SMALLEST = 64L shl 10
        const val OVER_FLOOR = 1.3
    }
}
