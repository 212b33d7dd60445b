package dev.arraywright.raid.pace

import dev.arraywright.raid.simulation.SeededDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlin.coroutines.resume
import kotlin.math.exp
import kotlin.math.ln
import kotlin.random.Random
import kotlin.time.AbstractLongTimeSource
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.DurationUnit
import kotlin.time.TimeSource

/**
 * A device that serves one after the other, clients that wait for each answer and then think, and background work, all
 * in virtual time. A client's request keeps it busy for [service] more or less, work for 0.3 ms and [speed] bytes/s.
 */
class SharedDevice(
    seed: Long,
    private val service: Duration = 1000.microseconds,
    private val speed: Long = 400_000_000,
    limits: () -> PaceLimits,
) {
    private val random = Random(seed)
    private val dispatcher = SeededDispatcher(random)
    private val scope = CoroutineScope(dispatcher)
    private var freeAt = 0L

    val time: TimeSource = object : AbstractLongTimeSource(DurationUnit.NANOSECONDS) {
        override fun read(): Long = dispatcher.now
    }
    val pacer = Pacer(time, limits)

    /** Nanoseconds that each client request took since [measure]. */
    val latencies = ArrayList<Long>()

    /** When work was let in, and how much. */
    val admitted = ArrayList<Pair<Duration, Long>>()
    val now: Duration get() = dispatcher.now.nanoseconds

    fun clients(count: Int, think: Duration): List<Job> = List(count) {
        scope.launch {
            while (true) {
                val request = pacer.started()
                val start = dispatcher.now
                try {
                    serve((service.inWholeNanoseconds * exp(0.3 * gauss())).toLong())
                } finally {
                    pacer.ended(request)
                }
                latencies.add(dispatcher.now - start)
                sleep((-ln(1 - random.nextDouble()) * think.inWholeNanoseconds).toLong())
            }
        }
    }

    fun work(largest: Long = 4L shl 20, count: Int = 1): List<Job> = List(count) {
        scope.launch {
            while (true) {
                val bytes = pacer.batch(largest)
                pacer.work(bytes) {
                    admitted.add(now to bytes)
                    serve(300_000 + bytes * 1_000_000_000 / speed)
                }
            }
        }
    }

    fun launch(action: suspend () -> Unit): Job = scope.launch { action() }

    fun run(duration: Duration) {
        var over = false
        val timer = scope.launch {
            delay(duration)
            over = true
        }
        dispatcher.runUntil(duration + 1.seconds) { over }
        timer.cancel()
    }

    /** Runs for [duration] and returns the p99 of the requests that ended meanwhile. */
    fun measure(duration: Duration): Duration {
        latencies.clear()
        run(duration)
        return latencies.sorted()[latencies.size * 99 / 100].nanoseconds
    }

    /** Bytes/s let in within [from] and [until]. */
    fun rate(from: Duration, until: Duration): Double =
        admitted.filter { it.first in from..<until }.sumOf { it.second } / (until - from).toDouble(DurationUnit.SECONDS)

    private suspend fun serve(nanoseconds: Long) {
        freeAt = maxOf(freeAt, dispatcher.now) + nanoseconds
        sleep(freeAt - dispatcher.now)
    }

    private suspend fun sleep(nanoseconds: Long) = suspendCancellableCoroutine { continuation ->
        val timed = dispatcher.after(nanoseconds) { continuation.resume(Unit) }
        continuation.invokeOnCancellation { timed.dispose() }
    }

    private fun gauss(): Double = List(12) { random.nextDouble() }.sum() - 6
}
