package dev.arraywright.raid.repair

import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.pace.Pacer
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.yield
import java.util.TreeSet
import java.util.concurrent.atomic.AtomicLong

/**
 * Goes over an array's stripes in order, a few of them at once, at the pacer's rate. Work is cut into pieces of columns
 * as small as the pacer wants them, so that a client never waits long behind one.
 */
internal class Sweep(
    private val geometry: Geometry,
    private val blockSize: Int,
    private val pacer: Pacer,
    private val window: Int,
) {
    /** Ends a sweep whose work has lost its place. */
    internal class Displaced : Exception()

    /** What a sweep does; all of it may be called from several coroutines at once but [moved] and [tell]. */
    internal interface Work {
        /** Suspends while the sweep is not to go on. */
        suspend fun ready()

        /** False if the stripe needs nothing. */
        fun wants(stripe: Long): Boolean

        /** Does columns [from] until [until] of a stripe. */
        suspend fun piece(stripe: Long, from: Int, until: Int)

        /** All stripes below [done] are done; returns at once. */
        fun moved(done: Long)

        /** Every now and then after that, when a record of it may be made; never twice at once. */
        suspend fun tell(done: Long)
    }

    /** From stripe [start] to the last. */
    suspend fun run(start: Long, work: Work) {
        val next = AtomicLong(start)
        val frontier = Frontier(start, work::moved)
        val telling = Mutex()
        coroutineScope {
            repeat(window) {
                launch {
                    while (true) {
                        work.ready()
                        val stripe = next.getAndIncrement()
                        if (stripe >= geometry.stripes()) break
                        if (work.wants(stripe)) {
                            pieces(stripe, work)
                            frontier.finish(stripe)
                            tell(telling, frontier, work)
                        } else {
                            frontier.finish(stripe)
                            if (stripe % SKIPS == 0L) {
                                tell(telling, frontier, work)
                                yield()
                            }
                        }
                    }
                }
            }
        }
        work.tell(frontier.done)
    }

    private suspend fun tell(telling: Mutex, frontier: Frontier, work: Work) {
        if (!telling.tryLock()) return
        try {
            work.tell(frontier.done)
        } finally {
            telling.unlock()
        }
    }

    private suspend fun pieces(stripe: Long, work: Work) {
        val length = geometry.length(stripe)
        val grain = maxOf(blockSize, GRAIN)
        var from = 0
        while (from < length) {
            val left = length - from
            val piece = minOf(left.toLong(), maxOf(grain.toLong(), pacer.batch(left.toLong()) / grain * grain)).toInt()
            pacer.work(piece.toLong()) { work.piece(stripe, from, from + piece) }
            from += piece
        }
    }

    /** Below [done] every stripe is finished. */
    private class Frontier(start: Long, private val moved: (Long) -> Unit) {
        private val ahead = TreeSet<Long>()

        @Volatile
        var done: Long = start
            private set

        @Synchronized
        fun finish(stripe: Long) {
            if (stripe != done) {
                ahead += stripe
                return
            }
            var end = stripe + 1
            while (ahead.remove(end)) end++
            done = end
            moved(end)
        }
    }

    private companion object {
        const val GRAIN = 4096
        const val SKIPS = 1024L
    }
}

/** The first stripe for which [condition] holds, which it does from there on. */
internal inline fun Geometry.firstStripe(condition: (Long) -> Boolean): Long {
    var low = 0L
    var high = stripes()
    while (low < high) {
        val middle = (low + high) / 2
        if (condition(middle)) high = middle else low = middle + 1
    }
    return low
}
