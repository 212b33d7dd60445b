package dev.arraywright.admin.control.machine

import dev.arraywright.admin.control.ControlServer
import dev.arraywright.admin.control.KernelControl
import dev.arraywright.admin.control.Problem
import dev.arraywright.admin.control.RemoteControl
import dev.arraywright.admin.control.RuntimeDirectory
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.client.request.setBody
import io.ktor.client.request.unixSocket
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import io.ktor.http.encodeURLPathPart
import kotlinx.serialization.json.Json
import java.nio.file.Path

/** The machine as any HTTP client sees it, on a real Unix socket. */
class MachineRoutesSpec : StringSpec({
    suspend fun served(watch: Boolean = true, test: suspend HttpClient.(ArraywrightKernel, Path) -> Unit) {
        val socket = RuntimeDirectory(tempdir("aw").toPath()).claim("serve")
        ArraywrightKernel.start(KernelOptions(watch = watch)).use { kernel ->
            ControlServer.start(socket, KernelControl(kernel)).use {
                HttpClient(CIO).use { client -> client.test(kernel, socket) }
            }
        }
    }

    val parts = listOf("hardware", "hardware/x", "health", "capabilities", "platform", "memory", "numa")

    "every part answers with JSON that the client understands" {
        served { kernel, socket ->
            for (part in parts - "hardware/x") {
                get("http://x/$part") { unixSocket("$socket") }.run {
                    status shouldBe HttpStatusCode.OK
                    headers["Content-Type"] shouldBe "application/json"
                }
            }
            post("http://x/hardware/rescan") { unixSocket("$socket") }.status shouldBe HttpStatusCode.OK
            RemoteControl(socket).use { remote ->
                val own = KernelSurvey(kernel)
                remote.machine.hardware().devices.map { it.id } shouldBe own.hardware().devices.map { it.id }
                remote.machine.rescan().source.probe shouldBe own.hardware().source.probe
                remote.machine.health().disks.map { it.path } shouldBe own.health().disks.map { it.path }
                remote.machine.platform() shouldBe own.platform()
                remote.machine.capabilities().map { it.name } shouldBe own.capabilities().map { it.name }
                remote.machine.numa().absence shouldBe own.numa().absence
                remote.machine.memory().sources.map { it.source } shouldBe own.memory().sources.map { it.source }
                for (device in own.hardware().devices) {
                    remote.machine.device(device.id).run {
                        this.device.id shouldBe device.id
                        val near = device.run { children + members + holders + listOfNotNull(parent) }
                        around.map { it.id } shouldContainAll near
                    }
                    device.path?.let { remote.machine.device(it).device.id shouldBe device.id }
                }
            }
        }
    }

    "a device that is not there is a problem document, whatever its name" {
        served { _, socket ->
            for (name in listOf("/dev/nosuch", "nosuch", "a b", "wwn:x")) {
                val answer = get("http://x/hardware/${name.encodeURLPathPart()}") { unixSocket("$socket") }
                answer.status shouldBe HttpStatusCode.NotFound
                answer.headers["Content-Type"] shouldBe Problem.MEDIA_TYPE
                Json.decodeFromString<Problem>(answer.bodyAsText()).title shouldBe "there is no device $name"
            }
        }
    }

    "a spare of one array cannot be awaited" {
        served { kernel, socket ->
            val answer = post("http://x/spares") {
                unixSocket("$socket")
                setBody("""{"address": "block:/dev/nosuch", "array": "vault", "await": true}""")
            }
            Json.decodeFromString<Problem>(answer.bodyAsText()).code shouldBe "invalid-request"
            kernel.protection.status.value.awaited shouldBe emptyList()
        }
    }

    "a kernel that does not watch says so, for every part" {
        served(watch = false) { _, socket ->
            for (part in parts) {
                val answer = get("http://x/$part") { unixSocket("$socket") }
                answer.status shouldBe HttpStatusCode.NotFound
                Json.decodeFromString<Problem>(answer.bodyAsText()).detail shouldContain "does not watch"
            }
            RemoteControl(socket).use { shouldThrow<KernelError.NotFound> { it.machine.rescan() } }
        }
    }
})
