package dev.arraywright.kernel.driver.upgrade

import kotlinx.coroutines.channels.Channel
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicLong

/**
 * Lets calls through and counts those inside. While it is shut, calls that come wait, and [drained] returns once those
 * inside have left, so calls that keep coming cannot put it off. Costs a call two atomic additions.
 *
 * Whoever shuts it opens it again within a bound: that is the deadline of those who wait.
 */
internal class Gate {
    /** How many are inside, and [SHUT] on top of it. Who comes while it is shut is counted for a moment, too. */
    private val state = AtomicLong()
    private val left = Channel<Unit>(Channel.CONFLATED)

    /** Of the latest shutting; set before [state] tells of it. */
    @Volatile private var reopened: CompletableFuture<Unit> = CompletableFuture.completedFuture(Unit)

    /** Runs [call] inside. An interrupt does not end the wait, and stays marked. */
    inline fun <T> pass(call: () -> T): T {
        enter()
        try {
            return call()
        } finally {
            leave()
        }
    }

    fun enter() {
        while (state.incrementAndGet() >= SHUT) {
            leave()
            reopened.join()
        }
    }

    /** Counts one inside who does not wait, even while it is shut: for whoever shut it. */
    fun join() {
        state.incrementAndGet()
    }

    fun leave() {
        if (state.decrementAndGet() == SHUT) left.trySend(Unit)
    }

    /** Only for an open gate, and by one at a time. */
    fun shut() {
        check(state.get() < SHUT) { "it is shut already" }
        reopened = CompletableFuture()
        state.addAndGet(SHUT)
    }

    /** Returns when nobody is inside; only while it is shut. */
    suspend fun drained() {
        // A signal may be an old one, of an earlier shutting: only the count is the truth.
        while (state.get() != SHUT) left.receive()
    }

    /** Only after [shut]. */
    fun open() {
        check(state.addAndGet(-SHUT) in 0..<SHUT) { "it was not shut" }
        reopened.complete(Unit)
    }

    private companion object {
        const val SHUT = 1L shl 62
    }
}
