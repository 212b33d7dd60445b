package dev.arraywright.admin.control

import dev.arraywright.kernel.KernelError
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.request
import io.ktor.client.request.setBody
import io.ktor.client.request.unixSocket
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsText
import io.ktor.http.ContentType
import io.ktor.http.HttpMethod
import io.ktor.http.contentType
import io.ktor.http.isSuccess
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import java.io.IOException
import java.nio.file.Path

/** Calls of the control surface at [socket]; what it refuses, and its loss, are [KernelError]s. */
internal class RemoteCalls(private val socket: Path) : AutoCloseable {
    private val client = HttpClient(CIO) { engine { requestTimeout = LONGEST_CALL } }

    suspend inline fun <reified T> get(path: String): T = decode(call(HttpMethod.Get, path))

    suspend inline fun <reified B, reified T> send(method: HttpMethod, path: String, body: B): T =
        decode(call(method, path, json.encodeToString(body)))

    suspend fun call(method: HttpMethod, path: String, body: String? = null): HttpResponse {
        val response = try {
            client.request("http://localhost$path") {
                this.method = method
                unixSocket(socket.toString())
                if (body != null) {
                    contentType(ContentType.Application.Json)
                    setBody(body)
                }
            }
        } catch (e: IOException) {
            throw lost(e.message.orEmpty(), e)
        }
        if (!response.status.isSuccess()) throw problem(response)
        return response
    }

    suspend inline fun <reified T> decode(response: HttpResponse): T = try {
        json.decodeFromString<T>(response.bodyAsText())
    } catch (e: SerializationException) {
        throw lost("it answers what this version does not understand", e)
    }

    override fun close(): Unit = client.close()

    private suspend fun problem(response: HttpResponse): KernelError = try {
        json.decodeFromString<Problem>(response.bodyAsText()).toError()
    } catch (e: SerializationException) {
        lost("it answered ${response.status}", e)
    }

    fun lost(why: String, cause: Throwable) = KernelError.DeviceUnusable(
        "cannot talk to the arraywright process at $socket",
        why,
        "see whether it still runs and has the same version",
        cause,
    )

    companion object {
        private const val LONGEST_CALL = 600_000L
        val json = Json { ignoreUnknownKeys = true }
    }
}
