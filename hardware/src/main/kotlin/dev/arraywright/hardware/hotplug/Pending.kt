package dev.arraywright.hardware.hotplug

import kotlinx.coroutines.CompletableDeferred
import java.io.IOException
import kotlin.time.Duration
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/**
 * What is to be looked at, gathered until somebody takes it. However many signals come, it stays small: beyond [limit]
 * devices it is everything. Thread-safe.
 */
internal class Pending(
    private val time: TimeSource,
    private val coalescing: Duration,
    private val limit: Int = 2048,
    private val wake: () -> Unit,
) {
    private var batch = Batch()
    private var closed = false

    @get:Synchronized
    var overflows: Long = 0
        private set

    @get:Synchronized
    var forged: Long = 0
        private set

    fun add(signal: Signal) {
        when (signal) {
            is Signal.Device -> add { if (paths.size < limit) paths += signal.path else everything = true }
            Signal.Mounts -> add { }
            Signal.Lost -> add {
                overflows++
                everything = true
            }
            Signal.Forged -> synchronized(this) { forged++ }
        }
    }

    /** Asks for a look at [path], or at everything, at once; completes when that has been, or failed. */
    fun ask(path: String?): CompletableDeferred<Unit> {
        val asked = CompletableDeferred<Unit>()
        synchronized(this) {
            if (closed) return asked.apply { completeExceptionally(closed()) }
            if (path == null) batch.everything = true else batch.paths += path
            batch.asked += asked
        }
        wake()
        return asked
    }

    /** How long until a look is due: null if nothing is there to look for. */
    @Synchronized
    fun dueIn(): Duration? = when {
        batch.asked.isNotEmpty() -> Duration.ZERO
        else -> batch.since?.let { coalescing - it.elapsedNow() }
    }

    /** What there is to look at; the next batch begins. */
    @Synchronized
    fun take(): Batch = batch.also { batch = Batch() }

    /** Fails who waits, now and later. */
    fun close() {
        val asked = synchronized(this) {
            closed = true
            batch.asked
        }
        for (one in asked) one.completeExceptionally(closed())
    }

    private fun closed() = IOException("the hardware monitor is closed")

    private inline fun add(change: Batch.() -> Unit) {
        val first = synchronized(this) {
            batch.change()
            (batch.since == null).also { if (it) batch.since = time.markNow() }
        }
        if (first) wake()
    }

    /**
     * @property since when the first signal of it came; null if it was asked for
     * @property asked who waits for the look
     */
    class Batch {
        val paths: MutableSet<String> = LinkedHashSet()
        var everything: Boolean = false
        var since: TimeMark? = null
        val asked: MutableList<CompletableDeferred<Unit>> = ArrayList()
    }
}
