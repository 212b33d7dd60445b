package dev.arraywright.hardware.device.guard

import dev.arraywright.spi.device.DeviceIoException
import java.util.concurrent.CancellationException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicReference

/**
 * One call on a guarded device: the stage that the caller holds, and who may touch the caller's buffer.
 *
 * ```
 * QUEUED  -> RUNNING | ENDED             a worker takes it | deadline, close, cancel
 * RUNNING -> COPYING | ENDED             the worker touches the caller's buffer | it answers, deadline, close, cancel
 * COPYING -> RUNNING | COPYING_DOOMED    done | deadline, close, cancel: the copier ends the call when it has copied
 * COPYING_DOOMED -> ENDED
 * ```
 *
 * The step to ENDED precedes the stage's end, and no copy starts after it: once the stage has ended the buffer is the
 * caller's again, though the device may still be at work on the call's own buffer.
 */
internal class GuardedCall<T>(val dueAt: Long) : CompletableFuture<T>() {
    private enum class State { QUEUED, RUNNING, COPYING, COPYING_DOOMED, ENDED }

    private val state = AtomicReference(State.QUEUED)

    @Volatile private var doom: Throwable? = null

    /** Guarded by the device's lock: on a worker. */
    var taken: Boolean = false

    /** Guarded by the device's lock: past its deadline while on a worker, which has not returned since. */
    var overdue: Boolean = false

    /** False if the call ended in the queue. */
    fun start(): Boolean = state.compareAndSet(State.QUEUED, State.RUNNING)

    /** Runs [copy] on the caller's buffer, or returns false if the buffer is no longer ours. */
    inline fun touch(copy: () -> Unit): Boolean {
        if (!beginCopy()) return false
        try {
            copy()
        } finally {
            endCopy()
        }
        return !isEnded()
    }

    fun answer(value: T?) {
        if (state.compareAndSet(State.RUNNING, State.ENDED)) complete(value)
    }

    /** Ends the call with [failure], at once or, during a copy, right after it. */
    fun fail(failure: Throwable) {
        while (true) {
            when (val now = state.get()) {
                State.QUEUED, State.RUNNING ->
                    if (state.compareAndSet(now, State.ENDED)) return end(failure)
                State.COPYING -> {
                    doom = failure
                    if (state.compareAndSet(State.COPYING, State.COPYING_DOOMED)) return
                }
                State.COPYING_DOOMED, State.ENDED -> return
            }
        }
    }

    fun isEnded(): Boolean = state.get().let { it == State.ENDED || it == State.COPYING_DOOMED }

    /** Abandons the call. Returns when the buffer is the caller's again, which a copy delays by its microseconds. */
    override fun cancel(mayInterruptIfRunning: Boolean): Boolean {
        fail(CancellationException("the call was abandoned"))
        while (!isDone) Thread.onSpinWait()
        return isCancelled
    }

    fun beginCopy(): Boolean = state.compareAndSet(State.RUNNING, State.COPYING)

    fun endCopy() {
        if (state.compareAndSet(State.COPYING, State.RUNNING)) return
        state.set(State.ENDED)
        end(checkNotNull(doom))
    }

    private fun end(failure: Throwable) {
        check(failure is DeviceIoException || failure is CancellationException)
        completeExceptionally(failure)
    }
}
