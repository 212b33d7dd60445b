package dev.arraywright.admin.control.driver

import dev.arraywright.admin.cli.driver.driverJar
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
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.request.delete
import io.ktor.client.request.get
import io.ktor.client.request.post
import io.ktor.client.request.setBody
import io.ktor.client.request.unixSocket
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import kotlinx.serialization.json.Json
import java.nio.file.Path
import kotlin.io.path.div

/** Drivers as any HTTP client sees them, on a real Unix socket. */
class DriverRoutesSpec : StringSpec({
    suspend fun served(test: suspend HttpClient.(Path, Path) -> Unit) {
        val directory = tempdir("aw").toPath()
        val socket = RuntimeDirectory(directory / "run").claim("serve")
        ArraywrightKernel.start(KernelOptions(watch = false)).use { kernel ->
            ControlServer.start(socket, KernelControl(kernel)).use {
                HttpClient(CIO).use { client -> client.test(socket, directory) }
            }
        }
    }

    suspend fun HttpResponse.problem(code: String): Problem =
        Json.decodeFromString<Problem>(bodyAsText()).also { it.code shouldBe code }

    "a driver is loaded, upgraded and unloaded by calls, and the client understands the answers" {
        served { socket, directory ->
            val jar = driverJar(directory / "one.jar")
            val next = driverJar(directory / "two.jar", "1.1.0")
            post("http://x/drivers") {
                unixSocket("$socket")
                setBody("""{"jar": "$jar", "settings": {"keep": "$directory"}}""")
            }.status shouldBe HttpStatusCode.Created
            RemoteControl(socket).use { remote ->
                remote.drivers.drivers().drivers.filter { !it.builtIn }.map { it.name to it.state } shouldBe
                    listOf("shelf" to "running")
                remote.drivers.driver("file").let { it.builtIn to it.jar } shouldBe (true to null)
                shouldThrow<KernelError.InUse> { remote.drivers.unload("file", true) }.why shouldContain
                    "comes with Arraywright"
                remote.drivers.driver("shelf").settings["keep"] shouldBe "$directory"
                remote.drivers.upgrade("shelf", UpgradeRequest("$next")).run {
                    from to to
                } shouldBe ("1.0.0" to "1.1.0")
            }
            delete("http://x/drivers/shelf") { unixSocket("$socket") }.status shouldBe HttpStatusCode.NoContent
            get("http://x/drivers") { unixSocket("$socket") }.run {
                status shouldBe HttpStatusCode.OK
                Json.decodeFromString<DriversView>(bodyAsText()).statistics.running shouldBe 0
            }
        }
    }

    "what cannot be done is a problem document" {
        served { socket, directory ->
            get("http://x/drivers/a%2Fb") { unixSocket("$socket") }.problem("not-found").title shouldBe
                "there is no driver a/b"
            delete("http://x/drivers/x?failDevices=perhaps") {
                unixSocket("$socket")
            }.problem("invalid-request").detail shouldContain
                "perhaps"
            for (body in listOf("{}", "[", """{"jar": "relative.jar"}""", """{"jar": "/a\u0000b"}""")) {
                post("http://x/drivers") {
                    unixSocket("$socket")
                    setBody(body)
                }.problem("invalid-request")
            }
            val bad = driverJar(directory / "bad.jar", start = """throw new IllegalStateException("no fabric");""")
            RemoteControl(socket).use { remote ->
                val request = LoadRequest("$bad", settings = mapOf("keep" to "/"))
                shouldThrow<KernelError.DriverUnusable> { remote.drivers.load(request) }.run {
                    why shouldContain "no fabric"
                    details shouldContain "Shelf.java"
                }
                shouldThrow<KernelError.NotFound> { remote.drivers.upgrade("other", UpgradeRequest("$bad")) }
            }
        }
    }
})
