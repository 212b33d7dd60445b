package dev.arraywright.kernel.driver.upgrade

import java.util.concurrent.atomic.AtomicBoolean

/**
 * A call of the hand-over's own on a device, on a thread that may be left alone with it: as long as it is in there, the
 * device is not drained, for the next hand-over either. One that has not begun when it is given up does not begin.
 */
internal class Visit(private val gate: Gate) {
    private val taken = AtomicBoolean()

    init {
        gate.join()
    }

    /** Runs [call], on whatever thread, unless it was given up. */
    fun run(call: () -> Unit) {
        if (!taken.compareAndSet(false, true)) return
        try {
            call()
        } finally {
            gate.leave()
        }
    }

    /** Nobody waits for it any longer. */
    fun giveUp() {
        if (taken.compareAndSet(false, true)) gate.leave()
    }
}
