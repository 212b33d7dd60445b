package dev.arraywright.samples.http

import kotlinx.coroutines.delay
import kotlinx.coroutines.suspendCancellableCoroutine
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse
import java.net.http.HttpResponse.BodyHandlers
import java.util.concurrent.CompletionException
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What a server tells of an object. A weak tag says nothing of the bytes, so it is none to us. */
internal data class Description(val size: Long, val tag: String?)

/** The answer is final: asking again would not change it. */
internal class Refused(val status: Int, message: String) : IOException(message)

/**
 * One object on a server, by requests that are repeated until they get an answer; the caller sets the deadline.
 *
 * @param trouble hears why a request is repeated
 */
internal class RemoteObject(
    private val url: URI,
    private val client: HttpClient,
    private val trouble: (IOException) -> Unit = {},
) {
    /** Size and tag, and the proof that the server has ranges: all by the request that reads use. */
    suspend fun describe(): Description = persist {
        val response = send(request().header("Range", "bytes=0-0").GET(), 1)
        when (response.statusCode()) {
            206 -> Description(range(response).third, tag(response))
            200 -> throw Refused(200, "the server answers with all of the object: it has no ranges")
            else -> throw failure(response)
        }
    }

    /** The bytes, of the very object that was described. */
    suspend fun get(offset: Long, length: Int, of: Description): ByteArray = persist {
        val request = request().header("Range", "bytes=$offset-${offset + length - 1}")
        of.tag?.let { request.header("If-Match", it) }
        val response = send(request.GET(), length)
        if (response.statusCode() != 206) throw failure(response)
        val (first, last, size) = range(response)
        val tag = tag(response)
        if (size != of.size || (of.tag != null && tag != null && tag != of.tag)) throw changed()
        if (first != offset || last - first + 1 > length) throw IOException("the server sent another range")
        // A server may send less than was asked for; a connection that breaks is an exception by itself.
        if (response.body().size != length) throw IOException("${response.body().size} of $length bytes came")
        response.body()
    }

    /** Writes, and tells what the object is now. */
    suspend fun put(offset: Long, bytes: ByteArray, into: Description): Description {
        var attempts = 0
        return persist {
            attempts++
            val request = request().header("Content-Range", range(offset, bytes.size, into.size))
            into.tag?.let { request.header("If-Match", it) }
            val response = send(request.PUT(BodyPublishers.ofByteArray(bytes)), ANSWER)
            when (response.statusCode()) {
                200, 204 -> verified(response, into)
                201 -> throw Refused(201, "the object was gone, and the server made a new one")
                412 -> if (attempts > 1) written(offset, bytes, into) else throw changed()
                else -> throw failure(response)
            }
        }
    }

    /** A server that does not know partial PUT takes the part for the whole: that has to stop here. */
    private suspend fun verified(response: HttpResponse<ByteArray>, into: Description): Description {
        val now = describe()
        if (now.size != into.size) {
            throw Refused(409, "the object has ${now.size} bytes after a partial PUT: the server replaced it")
        }
        val tag = tag(response)
        return if (tag != null && tag != now.tag) throw changed() else now
    }

    /** Whether an attempt came through whose answer was lost, so that the tag is not the old one any more. */
    private suspend fun written(offset: Long, bytes: ByteArray, into: Description): Description {
        val now = describe()
        if (now.size != into.size || !get(offset, bytes.size, now).contentEquals(bytes)) throw changed()
        return now
    }

    private fun request() = HttpRequest.newBuilder(url).timeout(java.time.Duration.ofSeconds(30))

    private suspend fun send(request: HttpRequest.Builder, limit: Int): HttpResponse<ByteArray> {
        // What an error page has beyond this is of no interest, nor a body that nobody asked for.
        val body = BodyHandlers.limiting(BodyHandlers.ofByteArray(), maxOf(limit, ANSWER).toLong())
        val known = HttpResponse.BodyHandler { info ->
            if (info.statusCode() == 206) body.apply(info) else HttpResponse.BodySubscribers.replacing(ByteArray(0))
        }
        return suspendCancellableCoroutine { waiting ->
            val answer = client.sendAsync(request.build(), known)
            waiting.invokeOnCancellation { answer.cancel(true) }
            answer.whenComplete { response, failure ->
                if (failure == null) waiting.resume(response) else waiting.resumeWithException(unwrapped(failure))
            }
        }
    }

    private suspend fun <T> persist(attempt: suspend () -> T): T {
        var pause = FIRST_PAUSE
        while (true) {
            try {
                return attempt()
            } catch (e: Refused) {
                throw e
            } catch (e: IOException) {
                trouble(e)
            }
            delay(pause)
            pause = minOf(pause * 2, LAST_PAUSE)
        }
    }

    private fun failure(response: HttpResponse<*>): IOException {
        val status = response.statusCode()
        return when {
            status == 412 || status == 416 -> changed()
            status == 408 || status == 429 || (status >= 500 && status != 501 && status != 507) ->
                IOException("the server answers $status")
            else -> Refused(status, "the server answers $status to ${response.request().method()}")
        }
    }

    private fun changed() = Refused(412, "the object was changed on the server by somebody else")

    private fun tag(response: HttpResponse<*>): String? =
        response.headers().firstValue("ETag").orElse(null)?.takeUnless { it.startsWith("W/") }

    /** First and last byte, and the size of all. */
    private fun range(response: HttpResponse<*>): Triple<Long, Long, Long> {
        val header = response.headers().firstValue("Content-Range").orElse("")
        val (first, last, size) = RANGE.matchEntire(header)?.destructured
            ?: throw Refused(206, "the server sends a range without telling the size of all: '$header'")
        return Triple(first.toLong(), last.toLong(), size.toLong())
    }

    private companion object {
        const val ANSWER = 4096
        val FIRST_PAUSE: Duration = 50.milliseconds
        val LAST_PAUSE: Duration = 1.seconds
        val RANGE = Regex("""bytes (\d{1,18})-(\d{1,18})/(\d{1,18})""")

        fun range(offset: Long, length: Int, size: Long) = "bytes $offset-${offset + length - 1}/$size"

        fun unwrapped(failure: Throwable): Throwable =
            if (failure is CompletionException) failure.cause ?: failure else failure
    }
}
