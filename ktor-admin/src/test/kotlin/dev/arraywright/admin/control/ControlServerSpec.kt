package dev.arraywright.admin.control

import dev.arraywright.admin.control.events.EventClient
import dev.arraywright.admin.control.events.EventRequest
import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldEndWith
import io.kotest.matchers.string.shouldStartWith
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.delete
import io.ktor.client.request.get
import io.ktor.client.request.patch
import io.ktor.client.request.post
import io.ktor.client.request.prepareGet
import io.ktor.client.request.setBody
import io.ktor.client.request.unixSocket
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsChannel
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import io.ktor.http.encodeURLPathPart
import io.ktor.utils.io.readLine
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
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
        // What is plugged in meanwhile, by other specs, is no event here.
        ArraywrightKernel.start(KernelOptions(watch = false)).use { kernel ->
            ControlServer.start(socket, KernelControl(kernel)).use {
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

    "the policy is changed by its names, as a whole" {
        served { _, socket ->
            suspend fun set(body: String) = patch("http://x/policy") {
                unixSocket("$socket")
                setBody(body)
            }
            set("""{"rebuildPriority": "60"}""").status shouldBe HttpStatusCode.OK
            problem(set("""{"rebuildPriority": "70", "rebuildFlor": "1MiB"}""")).detail shouldContain "'rebuildFloor'"
            val policy = get("http://x/policy") { unixSocket("$socket") }.bodyAsText()
            Json.decodeFromString<Map<String, String>>(policy)["rebuildPriority"] shouldBe "60"
        }
    }

    "a spare is removed by its address in the path" {
        served { kernel, socket ->
            kernel.createArray(mirror)
            kernel.protection.addSpare("memory:8MiB#c")
            delete("http://x/spares/${"memory:8MiB#c".encodeURLPathPart()}") { unixSocket("$socket") }.status shouldBe
                HttpStatusCode.NoContent
            problem(
                delete("http://x/spares/${"file:/a/b".encodeURLPathPart()}") {
                    unixSocket("$socket")
                },
            ).title shouldContain
                "file:/a/b"
            kernel.protection.status.value.spares.size shouldBe 0
        }
    }

    "events from a number that is none are refused, and those that are not followed end" {
        served { kernel, socket ->
            problem(get("http://x/events?since=abc") { unixSocket("$socket") }).code shouldBe "invalid-request"
            kernel.createArray(mirror)
            val text = get("http://x/events?since=1&follow=false") { unixSocket("$socket") }.bodyAsText()
            text shouldStartWith "id: 1\nevent: device.group.created\ndata: {"
            text shouldEndWith "event: end\ndata:\n\n"
        }
    }

    "who follows goes on after a restart with the next number" {
        val directory = RuntimeDirectory(tempdir("aw").toPath())
        val options = KernelOptions(journal = tempdir("aw").toPath())
        val seen = mutableListOf<KernelEvent>()

        suspend fun serve(name: String) = ArraywrightKernel.start(options).use { kernel ->
            ControlServer.start(directory.claim("serve"), KernelControl(kernel)).use {
                kernel.createArray(mirror.copy(name = name))
                eventually(20.seconds) { seen.map { it.subject } shouldContain name }
            }
        }
        coroutineScope {
            val first = launch(start = CoroutineStart.LAZY) {
                EventClient(directory.path.resolve("serve.sock")).events(EventRequest(1)).collect { seen += it }
            }
            val kernel = ArraywrightKernel.start(options)
            val server = ControlServer.start(directory.claim("serve"), KernelControl(kernel))
            first.start()
            kernel.createArray(mirror)
            eventually(20.seconds) { seen.size shouldBeGreaterThan 0 }
            server.close()
            kernel.shutdown()
            serve("other")
            first.cancelAndJoin()
        }
        seen.map { it.sequence } shouldBe (1L..seen.size).toList()
        seen.map { it.subject } shouldContainAll listOf("vault", "other")
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
