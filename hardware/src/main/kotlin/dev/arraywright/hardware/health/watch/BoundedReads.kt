package dev.arraywright.hardware.health.watch

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

/** How a bounded call ended. */
internal sealed interface Bounded<out T> {
    class Done<T>(val value: T) : Bounded<T>

    class Threw(val cause: Throwable) : Bounded<Nothing>

    /** It has not returned; [again] if it is an earlier call that has not. */
    class Late(val again: Boolean) : Bounded<Nothing>
}

/**
 * Makes calls that may never return, each with a deadline. Their scope has no parent: nobody who closes or cancels this
 * may have to wait for a device that hangs. A [Slot] has one call at a time, so that what hangs holds one thread and no
 * more.
 */
internal class BoundedReads(io: CoroutineDispatcher) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + io)

    /** A place for one call. Not thread-safe. */
    class Slot {
        internal var running: Deferred<*>? = null
    }

    suspend fun <T> run(slot: Slot, deadline: Duration, block: suspend () -> T): Bounded<T> {
        if (slot.running?.isCompleted == false) return Bounded.Late(again = true)
        val call = scope.async { attempt(block) }
        slot.running = call
        return try {
            withTimeoutOrNull(deadline) { call.await() } ?: Bounded.Late(again = false)
        } catch (e: CancellationException) {
            // The caller's, or this was closed.
            currentCoroutineContext().ensureActive()
            Bounded.Threw(e)
        } finally {
            call.cancel()
        }
    }

    private suspend fun <T> attempt(block: suspend () -> T): Bounded<T> = try {
        Bounded.Done(block())
    } catch (e: CancellationException) {
        throw e
    } catch (e: Exception) {
        Bounded.Threw(e)
    } catch (e: LinkageError) {
        // A native library that is not there.
        Bounded.Threw(e)
    }

    override fun close() {
        scope.cancel()
    }
}
