package dev.arraywright.kernel

import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.machine.Watching
import dev.arraywright.kernel.spare.Protection
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration

/**
 * The end of a kernel: exports, then supervisors and shared spares, then arrays, then drivers, then the journal, which so
 * has the others' last events.
 */
internal class Ending(
    private val scope: CoroutineScope,
    private val registry: ArrayRegistry,
    private val nbd: Exports,
    private val protection: Protection,
    private val stream: EventStream,
    private val watching: Watching,
    private val drivers: DriverManager,
) {
    /** Returns within [bound] what has not ended as it should, a line each; that is left behind. */
    suspend fun within(bound: Duration): List<String> {
        val forJournal = if (stream.journal == null) Duration.ZERO else bound / JOURNAL_SHARE
        val rest = bound - forJournal
        val exports = AtomicReference<String?>("the exports did not end within $rest")
        val supervisors = AtomicReference<String?>()
        val followers = AtomicReference<List<String>>(emptyList())
        val left = AtomicReference<List<String>>(emptyList())
        // Apart from this coroutine, since what cannot be cancelled must not hold it beyond the bound.
        val work = scope.launch {
            // What goes now is let go of, not unplugged.
            followers.set(ended(rest / FOLLOWERS_SHARE))
            exports.set(ended("the exports") { nbd.close() })
            // Before the arrays, or members that go away with them would be taken for failed ones.
            supervisors.set(ended("supervisors and spares") { protection.close(rest / PROTECTION_SHARE) })
            registry.stopAll()
            // After everybody who has a device of theirs.
            left.set(drivers.close(rest / DRIVERS_SHARE))
        }
        withTimeoutOrNull(rest) { work.join() } ?: work.cancel()
        val arrays = registry.abandon(rest).map { (name, why) -> "array $name: $why" }
        val kept = stream.close(forJournal)
        val journal = stream.journal?.failure?.value?.takeUnless { kept }
        return followers.get() + listOfNotNull(
            exports.get(),
            supervisors.get(),
        ) + arrays + left.get() + listOfNotNull(journal)
    }

    /** Those that follow the machine and the drivers' directory, and did not end within [each]. */
    private suspend fun ended(each: Duration): List<String> = listOfNotNull(
        "the watch of the machine did not end within $each".takeUnless { watching.end(each) },
        "the watch of the drivers' directory did not end within $each".takeUnless {
            drivers.folder?.end(each) ?: true
        },
    )

    /** What kept it from ending as it should; it does not keep the rest from that. */
    private suspend fun ended(what: String, end: suspend () -> Unit): String? =
        try {
            end()
            null
        } catch (e: CancellationException) {
            throw e
        } catch (e: Exception) {
            "$what: ${e.message ?: e.javaClass.simpleName}"
        }

    companion object {
        private const val JOURNAL_SHARE = 10
        private const val PROTECTION_SHARE = 3
        private const val DRIVERS_SHARE = 3
        private const val FOLLOWERS_SHARE = 10

        fun failure(left: List<String>, cause: Throwable? = null): KernelError = KernelError.NotStopped(
            "the kernel is closed, but not everything in it stopped as it should",
            left.joinToString("; "),
            "what a flush covered is on the members; assemble the array again, which resyncs it if it has to",
            cause,
        )
    }
}
