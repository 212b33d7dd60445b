package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ClosedSendChannelException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.selects.onTimeout
import kotlinx.coroutines.selects.select
import kotlin.time.Duration

/** What a supervisor is asked to do, one after the other. Whoever asks waits for the end of it, unless cancelled. */
internal class Mailbox {
    private val orders = Channel<Order<*>>(DEPTH) { it.refuse() }

    /** @throws KernelError.Closed if nobody does it any more */
    suspend fun <T> ask(work: suspend () -> T): T {
        val order = Order(work)
        try {
            orders.send(order)
        } catch (_: ClosedSendChannelException) {
            throw KernelError.Closed()
        } catch (e: CancellationException) {
            // The channel is cancelled when the supervisor has ended, which is not this coroutine's end.
            currentCoroutineContext().ensureActive()
            if (order.refused) throw KernelError.Closed()
            throw e
        }
        return order.reply.await()
    }

    /** Does the next order if there is one within [patience]; false if there is none. */
    @OptIn(ExperimentalCoroutinesApi::class)
    suspend fun next(patience: Duration): Boolean {
        val order = if (patience.isInfinite()) {
            orders.receive()
        } else {
            // Not a timeout around receive(), which could lose an order that comes at the last moment.
            select<Order<*>?> {
                orders.onReceive { it }
                onTimeout(patience) { null }
            }
        }
        order?.run()
        return order != null
    }

    /** Nothing is done any more. */
    fun close() {
        orders.cancel()
    }

    private class Order<T>(private val work: suspend () -> T) {
        val reply = CompletableDeferred<T>()

        @Volatile var refused = false
            private set

        suspend fun run() {
            try {
                reply.complete(work())
            } catch (e: CancellationException) {
                refuse()
                throw e
            } catch (e: Throwable) {
                // An error, too: whoever asks would wait for ever, and the driver would have nobody who decides on it.
                reply.completeExceptionally(e)
            }
        }

        fun refuse() {
            refused = true
            reply.completeExceptionally(KernelError.Closed())
        }
    }

    private companion object {
        const val DEPTH = 16
    }
}
