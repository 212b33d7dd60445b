package dev.arraywright.admin.control.events

import dev.arraywright.admin.control.Problem
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.event.KernelEvent
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.parameter
import io.ktor.client.request.prepareGet
import io.ktor.client.request.unixSocket
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsChannel
import io.ktor.client.statement.bodyAsText
import io.ktor.http.isSuccess
import io.ktor.utils.io.readLine
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.onEach
import kotlinx.coroutines.flow.retryWhen
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import java.io.IOException
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/**
 * The events of the process that answers at [socket]. Where they are followed, a lost connection is made anew and goes
 * on with the next number, so that a restart of the process is no gap; it gives up after [patience] without an answer.
 */
internal class EventClient(
    private val socket: Path,
    private val time: TimeSource = TimeSource.Monotonic,
    private val patience: Duration = 60.seconds,
) {
    fun events(request: EventRequest): Flow<KernelEvent> = flow {
        var next = request.since
        var heard: TimeMark? = null
        val attempts = flow {
            emitAll(stream(request.copy(since = next)) { heard = time.markNow() }.onEach { next = it.sequence + 1 })
        }
        val events = attempts.retryWhen { cause, _ ->
            val again = request.follow && cause is IOException && heard?.let { it.elapsedNow() < patience } == true
            if (again) delay(PAUSE)
            again
        }
        emitAll(events.catch { throw if (it is IOException) lost(it) else it })
    }

    private fun stream(request: EventRequest, heard: () -> Unit): Flow<KernelEvent> = flow {
        // A client of its own: a followed stream has no deadline as a whole, only one for silence.
        HttpClient(CIO) { engine { requestTimeout = 0 } }.use { client ->
            val call = client.prepareGet("http://localhost/events") {
                unixSocket(socket.toString())
                request.since?.let { parameter("since", it) }
                parameter("follow", request.follow)
            }
            call.execute { response ->
                if (!response.status.isSuccess()) throw problem(response)
                receive(response, heard)
            }
        }
    }

    private suspend fun FlowCollector<KernelEvent>.receive(response: HttpResponse, heard: () -> Unit) {
        val lines = response.bodyAsChannel()
        while (true) {
            var line: String? = null
            withTimeoutOrNull(EventFeed.SILENCE) {
                line = lines.readLine() ?: throw IOException("it ended the stream")
            } ?: throw IOException("it has said nothing for ${EventFeed.SILENCE}")
            heard()
            val text = line.orEmpty()
            if (text == END) return
            if (text.startsWith(DATA)) emit(json.decodeFromString<KernelEvent>(text.removePrefix(DATA)))
        }
    }

    private suspend fun problem(response: HttpResponse): Exception = try {
        json.decodeFromString<Problem>(response.bodyAsText()).toError()
    } catch (e: SerializationException) {
        lost(e)
    }

    private fun lost(cause: Throwable) = KernelError.DeviceUnusable(
        "cannot follow the events of the arraywright process at $socket",
        cause.message.orEmpty(),
        "see whether it still runs and has the same version",
        cause,
    )

    private companion object {
        const val DATA = "data: "
        val END = EventFeed.END.lineSequence().first()
        val PAUSE = 500.milliseconds
        val json = Json { ignoreUnknownKeys = true }
    }
}
