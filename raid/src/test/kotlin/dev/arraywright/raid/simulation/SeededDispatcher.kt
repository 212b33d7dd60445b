package dev.arraywright.raid.simulation

import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Delay
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.Runnable
import java.util.PriorityQueue
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.resume
import kotlin.random.Random
import kotlin.time.AbstractLongTimeSource
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.DurationUnit
import kotlin.time.Instant
import kotlin.time.TimeSource

/**
 * One thread, virtual time in nanoseconds, and of all that is due the next is drawn at random: each seed is another
 * interleaving, and the same one each time. Time only passes when nothing is due.
 */
@OptIn(InternalCoroutinesApi::class)
class SeededDispatcher(private val random: Random) : CoroutineDispatcher(), Delay {
    private val ready = ArrayList<Runnable>()
    private val timed = PriorityQueue<Timed>(compareBy({ it.at }, { it.order }))
    private var orders = 0L

    /** Nanoseconds since the beginning. */
    var now: Long = 0L
        private set

    val clock: Clock = object : Clock {
        override fun now(): Instant = Instant.fromEpochSeconds(1_800_000_000, now)
    }

    val time: TimeSource.WithComparableMarks = object : AbstractLongTimeSource(DurationUnit.NANOSECONDS) {
        override fun read(): Long = now
    }

    override fun dispatch(context: CoroutineContext, block: Runnable) {
        ready.add(block)
    }

    override fun scheduleResumeAfterDelay(timeMillis: Long, continuation: CancellableContinuation<Unit>) {
        val timed = after(timeMillis * MILLISECOND) { continuation.resume(Unit) }
        continuation.invokeOnCancellation { timed.dispose() }
    }

    override fun invokeOnTimeout(timeMillis: Long, block: Runnable, context: CoroutineContext): DisposableHandle =
        after(timeMillis * MILLISECOND, block)

    /** Runs [block] once [nanoseconds] have passed. */
    fun after(nanoseconds: Long, block: Runnable): DisposableHandle {
        val entry = Timed(now + nanoseconds, orders++, block)
        timed.add(entry)
        return DisposableHandle { timed.remove(entry) }
    }

    /** Runs until [done], or throws if nothing is left to run, or when [limit] of virtual time has passed. */
    fun runUntil(limit: Duration, done: () -> Boolean) {
        val end = now + limit.inWholeNanoseconds
        var standing = 0
        while (!done()) {
            if (ready.isNotEmpty()) {
                val pick = random.nextInt(ready.size)
                val block = ready[pick]
                ready[pick] = ready[ready.size - 1]
                ready.removeLast()
                check(++standing < MOST) { "livelock: time does not pass any more, with $block" }
                block.run()
            } else {
                val next = timed.poll() ?: error("deadlock: nothing left to run")
                standing = if (next.at > now) 0 else standing + 1
                check(next.at <= end) { "livelock: $limit have passed" }
                now = next.at
                next.block.run()
            }
        }
    }

    /** Runs all that is left. */
    fun drain() {
        while (timed.isNotEmpty() || ready.isNotEmpty()) runUntil(1.hours) { timed.isEmpty() && ready.isEmpty() }
    }

    private class Timed(val at: Long, val order: Long, val block: Runnable)

    private companion object {
        const val MILLISECOND = 1_000_000L
        const val MOST = 1_000_000
    }
}
