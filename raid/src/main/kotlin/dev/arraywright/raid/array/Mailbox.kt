package dev.arraywright.raid.array

import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ClosedSendChannelException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch

/**
 * One coroutine that does what it is asked, one thing after another, and to the end even if the asker gives up.
 * When the scope ends, [onEnd] is called and those that still wait get what [ended] makes.
 */
internal class Mailbox(scope: CoroutineScope, onEnd: () -> Unit, private val ended: () -> Exception) {
    private val letters = Channel<Letter<*>>(CAPACITY) { it.refuse(ended()) }

    init {
        scope.launch {
            try {
                for (letter in letters) letter.open()
            } finally {
                letters.cancel()
                onEnd()
            }
        }
    }

    /** Runs [action] in the mailbox's coroutine; not to be called from there. */
    suspend fun <T> ask(action: suspend () -> T): T {
        val letter = Letter(action)
        try {
            letters.send(letter)
        } catch (_: ClosedSendChannelException) {
            throw ended()
        } catch (cancelled: CancellationException) {
            currentCoroutineContext().ensureActive()
            throw ended().apply { addSuppressed(cancelled) }
        }
        return letter.reply.await()
    }

    private inner class Letter<T>(private val action: suspend () -> T) {
        val reply = CompletableDeferred<T>()

        suspend fun open() {
            try {
                reply.complete(action())
            } catch (cancelled: CancellationException) {
                refuse(ended())
                throw cancelled
            } catch (failure: Exception) {
                refuse(failure)
            }
        }

        fun refuse(failure: Exception) {
            reply.completeExceptionally(failure)
        }
    }

    private companion object {
        const val CAPACITY = 64
    }
}
