package dev.arraywright.hardware.memory.balloon

import dev.arraywright.spi.memory.MemoryPressure
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration

/**
 * The registered handlers. They run in [scope], whose job must outlive a failed child; the functions that suspend are
 * called by one coroutine.
 */
internal class Clients(private val scope: CoroutineScope, private val deadline: Duration) {
    private val all = CopyOnWriteArrayList<Client>()

    fun add(name: String, order: Int, share: Int, handler: PressureHandler): AutoCloseable {
        val client = Client(name, order, share, handler)
        all += client
        return AutoCloseable {
            all -= client
            client.running?.cancel()
        }
    }

    /** What all could give back; one that fails to tell counts for nothing. */
    fun reclaimable(): Long =
        all.fold(0L) { sum, client ->
            val bytes = reclaimable(client).coerceAtLeast(0)
            if (Long.MAX_VALUE - sum < bytes) Long.MAX_VALUE else sum + bytes
        }

    private fun reclaimable(client: Client): Long =
        try {
            client.handler.reclaimable()
        } catch (_: Exception) {
            // What it does is told when it is asked to release.
            0
        }

    /**
     * Asks the lowest order first and the next for what is still missing; those of one order at once, each for its
     * share, and those that gave all of it a second time for what the others could not give.
     */
    suspend fun release(pressure: MemoryPressure): List<Release> {
        val releases = ArrayList<Release>()
        var missing = pressure.bytesToRelease()
        for ((_, group) in all.groupBy { it.order }.toSortedMap()) {
            var able: List<Client> = group
            repeat(2) {
                if (missing <= 0 || able.isEmpty()) return@repeat
                val answers = ask(able, missing, pressure)
                releases += answers
                missing -= answers.sumOf { it.released }
                able = able.zip(answers).filter { (_, answer) -> answer.released >= answer.asked }.map { it.first }
            }
        }
        return releases
    }

    private suspend fun ask(group: List<Client>, bytes: Long, pressure: MemoryPressure): List<Release> {
        val shares = group.sumOf { it.share.toLong() }
        val asks = group.map { client ->
            // Rounded up, so that a small ask is not lost between many.
            val part = bytes / shares * client.share + Math.ceilDiv(bytes % shares * client.share, shares)
            PressureAsk(part.coerceIn(1, bytes), pressure.level())
        }
        val calls = group.zip(asks).map { (client, ask) -> client.begin { client.handler.release(ask) } }
        return group.indices.map { i ->
            val answer = group[i].finish(calls[i])
            val released = (answer.value ?: 0).coerceAtLeast(0)
            Release(group[i].name, group[i].order, asks[i].bytes, released, answer.failure)
        }
    }

    /** One step of growing back for all of the highest order that are not done; true once all are. */
    suspend fun relax(): Boolean {
        val small = all.filter { it.isSmall }
        val order = small.maxOfOrNull { it.order } ?: return true
        val group = small.filter { it.order == order }
        val calls = group.map { client -> client.begin { client.handler.relax() } }
        for (i in group.indices) {
            val answer = group[i].finish(calls[i])
            // One that fails at growing back is not pestered with it until it was asked to shrink again.
            group[i].isSmall = answer.failure == null && answer.value == false
        }
        return all.none { it.isSmall }
    }

    private inner class Client(val name: String, val order: Int, val share: Int, val handler: PressureHandler) {
        @Volatile var running: Deferred<*>? = null

        /** Whether it was asked to release since it last was at its full size. */
        var isSmall = false

        /** Null if an earlier call is still under way. */
        fun <T> begin(call: suspend () -> T): Deferred<T>? {
            if (running?.isCompleted == false) return null
            isSmall = true
            return scope.async { call() }.also { running = it }
        }

        @OptIn(ExperimentalCoroutinesApi::class)
        suspend fun <T> finish(call: Deferred<T>?): Answer<T> {
            if (call == null) return Answer(null, "it has not come back from an earlier call")
            // Not joined after that: it may be blocked where no cancellation reaches it.
            if (withTimeoutOrNull(deadline) { call.join() } == null) {
                call.cancel()
                return Answer(null, "no answer within $deadline")
            }
            val failure = call.getCompletionExceptionOrNull() ?: return Answer(call.getCompleted(), null)
            return Answer(null, failure.toString())
        }
    }

    private class Answer<T>(val value: T?, val failure: String?)
}
