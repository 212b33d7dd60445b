package dev.arraywright.kernel.driver.isolate.leak

import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import java.lang.ref.PhantomReference
import java.lang.ref.ReferenceQueue
import java.lang.ref.WeakReference
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * Watches whether a driver's class loader, and with it every class and object of the driver, is gone. It does not hold
 * the loader itself.
 */
public class LeakWatch internal constructor(loader: WatchedLoader, private val checks: LeakChecks) {
    private val serial = loader.serial

    // The phantom is the proof: a finalizer cannot bring back what it was cleared for. The weak one is to look closer.
    private val proof = PhantomReference(loader, ReferenceQueue())
    private val suspect = WeakReference(loader)

    /** As in stack traces: the jar's name and a number. */
    public val name: String = loader.name

    /** Whether it is gone; true for good once it is. */
    public val collected: Boolean get() = proof.refersTo(null)

    /**
     * Waits for the loader to go, asking for a garbage collection now and then; if it stays, looks for what holds it.
     *
     * It asks since nothing else would collect: classes go only when the whole heap is gone through, which a kernel
     * with little to do may not need for hours. It asks seldom since each time may stop the whole process for a while, and
     * watches of one [LeakChecks] that wait at once share a collection.
     */
    public suspend fun await(patience: LeakPatience = LeakPatience()): LeakOutcome {
        var pause = patience.pause
        repeat(patience.collections) {
            if (collected) return LeakOutcome.Collected
            checks.collect()
            if (collected) return LeakOutcome.Collected
            delay(pause)
            pause *= 2
        }
        return if (collected) LeakOutcome.Collected else withContext(checks.dispatcher) { examine() }
    }

    private fun examine(): LeakOutcome {
        val holders = mutableListOf<LeakHolder>()
        val unseen = mutableListOf<String>()
        // Only within this call: what is on the stack would be found as a holder in the heap.
        if (!ask(holders, unseen)) return LeakOutcome.Collected
        checks.heap(serial, holders, unseen)
        return if (collected) LeakOutcome.Collected else LeakOutcome.Leaked(LeakReport(name, holders, unseen))
    }

    private fun ask(holders: MutableList<LeakHolder>, unseen: MutableList<String>): Boolean {
        val loader = suspect.get() ?: return !collected
        for (check in checks.all) {
            holders += check.holders(loader)
            unseen += check.unseen()
        }
        return true
    }
}

/**
 * How long to wait for a driver to go.
 *
 * @property collections garbage collections to ask for, at most
 * @property pause after the first; doubled after each
 */
public data class LeakPatience(val collections: Int = 4, val pause: Duration = 250.milliseconds)

/** What became of an unloaded driver. */
public sealed interface LeakOutcome {
    /** Nothing of it is in memory any more. */
    public data object Collected : LeakOutcome

    /** It is in memory still. */
    public data class Leaked(val report: LeakReport) : LeakOutcome
}
