package dev.arraywright.admin.control

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.client.request.prepareGet
import io.ktor.client.request.setBody
import io.ktor.client.request.unixSocket
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsChannel
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import io.ktor.utils.io.readLine
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.time.Duration.Companion.seconds

/** The control surface as any HTTP client sees it, on a real Unix socket. */
class ControlServerSpec : StringSpec({
    suspend fun served(test: suspend HttpClient.(ArraywrightKernel, Path) -> Unit) {
        val socket = RuntimeDirectory(tempdir("aw").toPath()).claim("serve")
        ArraywrightKernel.start().use { kernel ->
            ControlServer.start(socket, kernel, KernelControl(kernel)).use {
                HttpClient(CIO).use { client -> client.test(kernel, socket) }
            }
        }
        socket.exists() shouldBe false
    }

    suspend fun problem(response: HttpResponse): Problem {
        response.headers["Content-Type"] shouldBe "application/problem+json"
        return Json.decodeFromString<Problem>(response.bodyAsText()).also { it.status shouldBe response.status.value }
    }

    val mirror = ArraySpec("vault", RaidLevel.RAID1, listOf("memory:8MiB#a", "memory:8MiB#b"), assumeClean = true)

    "an array that is not there is a problem document that says what to do" {
        served { _, socket ->
            val answer = problem(get("http://x/arrays/vault") { unixSocket("$socket") })
            answer.code shouldBe "not-found"
            answer.type shouldBe "urn:arraywright:not-found"
            answer.remedy shouldContain "assemble"
        }
    }

    "a body that is no request is a problem document, whatever is wrong with it" {
        served { _, socket ->
            for (body in listOf("", "{", "[]", """{"name": 3}""", """{"nme": "x"}""", "x".repeat(2 shl 20))) {
                val answer = post("http://x/arrays") {
                    unixSocket("$socket")
                    setBody(body)
                }
                problem(answer).code shouldBe "invalid-request"
            }
        }
    }

    "what has no answer is answered with an empty one" {
        served { kernel, socket ->
            kernel.createArray(mirror)
            val stopped = post("http://x/arrays/vault/stop") {
                unixSocket("$socket")
                setBody("{}")
            }
            stopped.status shouldBe HttpStatusCode.NoContent
            kernel.arrays.value.size shouldBe 0
        }
    }

    "events are streamed as they happen" {
        served { kernel, socket ->
            withTimeout(20.seconds) {
                prepareGet("http://x/events") { unixSocket("$socket") }.execute { response ->
                    response.headers["Content-Type"] shouldBe "text/event-stream"
                    val lines = response.bodyAsChannel()
                    kernel.createArray(mirror)
                    var line = lines.readLine()!!
                    while (!line.startsWith("event: ")) line = lines.readLine()!!
                    line shouldBe "event: device.group.created"
                    val data = Json.parseToJsonElement(lines.readLine()!!.removePrefix("data: ")).jsonObject
                    data["subject"]!!.jsonPrimitive.content shouldBe "vault"
                }
            }
        }
    }
})
