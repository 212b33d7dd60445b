package dev.arraywright.admin.control

import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.ExportInfo
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
import io.ktor.http.HttpStatusCode
import io.ktor.http.contentType
import io.ktor.http.encodeURLPathPart
import io.ktor.http.isSuccess
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import java.io.IOException
import java.nio.file.Path

/** The arrays of the process that answers at [socket]; see [ControlServer]. A call ends within ten minutes. */
internal class RemoteControl(private val socket: Path) : Control {
    private val client = HttpClient(CIO) { engine { requestTimeout = LONGEST_CALL } }

    override suspend fun arrays(): List<ArrayStatus> = decode(call(HttpMethod.Get, "/arrays"))

    override suspend fun array(name: String): ArrayStatus = decode(call(HttpMethod.Get, path(name)))

    override suspend fun create(request: CreateRequest): ArrayStatus =
        decode(call(HttpMethod.Post, "/arrays", json.encodeToString(request)))

    override suspend fun assemble(request: AssembleRequest): ArrayStatus =
        decode(call(HttpMethod.Post, "/arrays/assemble", json.encodeToString(request)))

    override suspend fun stop(name: String, forget: Boolean) {
        call(HttpMethod.Post, path(name, "/stop"), json.encodeToString(StopRequest(forget)))
    }

    override suspend fun change(name: String, change: MemberChange, member: String): ArrayStatus {
        val body = json.encodeToString(MemberRequest(member))
        return decode(call(HttpMethod.Post, path(name, "/${change.name.lowercase()}"), body))
    }

    override suspend fun awaitIdle(name: String, progress: (Activity) -> Unit): ArrayStatus {
        while (true) {
            val response = call(HttpMethod.Get, path(name, "/idle"))
            val status = decode<ArrayStatus>(response)
            if (response.status == HttpStatusCode.OK) return status
            status.activity?.let(progress)
        }
    }

    override suspend fun exports(): List<ExportInfo> = decode(call(HttpMethod.Get, "/exports"))

    override suspend fun export(request: ExportRequest): ExportInfo =
        decode(call(HttpMethod.Post, "/exports", json.encodeToString(request)))

    override suspend fun unexport(name: String) {
        call(HttpMethod.Delete, "/exports/${name.encodeURLPathPart()}")
    }

    override fun close(): Unit = client.close()

    private fun path(array: String, rest: String = "") = "/arrays/${array.encodeURLPathPart()}$rest"

    private suspend fun call(method: HttpMethod, path: String, body: String? = null): HttpResponse {
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

    private suspend fun problem(response: HttpResponse): KernelError = try {
        json.decodeFromString<Problem>(response.bodyAsText()).toError()
    } catch (e: SerializationException) {
        lost("it answered ${response.status}", e)
    }

    private suspend inline fun <reified T> decode(response: HttpResponse): T = try {
        json.decodeFromString<T>(response.bodyAsText())
    } catch (e: SerializationException) {
        throw lost("it answers what this version does not understand", e)
    }

    private fun lost(why: String, cause: Exception) = KernelError.DeviceUnusable(
        "cannot talk to the arraywright process at $socket",
        why,
        "see whether it still runs and has the same version",
        cause,
    )

    private companion object {
        const val LONGEST_CALL = 600_000L
        val json = Json { ignoreUnknownKeys = true }
    }
}
