package dev.arraywright.admin.control.events

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.event.KernelEvent
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.buffer
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.merge
import kotlinx.coroutines.flow.onCompletion
import kotlinx.coroutines.flow.transformWhile
import kotlinx.serialization.json.Json
import kotlin.time.Duration.Companion.seconds

/** Which events are asked for: from number [since] on, or the latest; and, with [follow], what is to come. */
internal data class EventRequest(val since: Long? = null, val follow: Boolean = true) {
    fun of(kernel: ArraywrightKernel): Flow<KernelEvent> {
        val last = maxOf(
            kernel.events.replayCache.lastOrNull()?.sequence ?: 0,
            kernel.journal?.written?.value ?: 0,
        )
        val from = since ?: maxOf(1, last - LATEST + 1)
        return when {
            follow -> kernel.eventsSince(from)
            from > last -> emptyFlow()
            else -> kernel.eventsSince(from).transformWhile {
                emit(it)
                it.sequence < last
            }
        }
    }

    companion object {
        /** How many events are shown where nobody says from which on. */
        const val LATEST = 64
    }
}

/** Server-sent events, and the end of them where they end. */
internal object EventFeed {
    private val json = Json { encodeDefaults = true }
    private val HEARTBEAT = 10.seconds

    /** A client that hears nothing for this long has lost its server. */
    val SILENCE = HEARTBEAT * 3

    /** In the text form; a comment every few seconds finds out whether the client is still there. */
    fun of(events: Flow<KernelEvent>, follow: Boolean): Flow<String> {
        val sent = events.map(::text)
        // Without it a client could not tell that this was all from a server that died.
        if (!follow) return sent.onCompletion { if (it == null) emit(END) }
        return merge(sent, beats()).buffer(Channel.RENDEZVOUS)
    }

    private fun beats() = flow {
        while (true) {
            emit(":\n\n")
            delay(HEARTBEAT)
        }
    }

    private fun text(event: KernelEvent): String =
        "id: ${event.sequence}\nevent: ${event.occurrence.topicText}\ndata: ${json.encodeToString(event)}\n\n"

    /** The last of a stream that is not followed. */
    const val END = "event: end\ndata:\n\n"
}
