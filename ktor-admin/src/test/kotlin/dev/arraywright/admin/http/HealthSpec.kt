package dev.arraywright.admin.http

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayHealth.DEGRADED
import dev.arraywright.kernel.ArrayHealth.FAILED
import dev.arraywright.kernel.ArrayHealth.OPTIMAL
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.HttpConfiguration
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import java.net.InetAddress
import java.net.ServerSocket
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers

class HealthSpec : StringSpec({
    fun array(name: String, health: ArrayHealth) = ArrayStatus(name, "", "raid1", 0, 0, health, false, 0, emptyList())

    suspend fun answer(health: Health): Pair<Int, String> =
        HealthServer.start(HttpConfiguration(port = 0)) { health }.use { server ->
            HttpClient.newHttpClient().use { client ->
                val request = HttpRequest.newBuilder(URI("http://127.0.0.1:${server.port}/health")).build()
                client.send(request, BodyHandlers.ofString()).let { it.statusCode() to it.body() }
            }
        }

    "the worst array decides" {
        Health.of(emptyList(), emptyList()).status shouldBe OPTIMAL
        Health.of(listOf(array("a", OPTIMAL), array("b", DEGRADED)), listOf("a", "b")).status shouldBe DEGRADED
        Health.of(listOf(array("a", FAILED), array("b", DEGRADED)), emptyList()).status shouldBe FAILED
    }

    "an array that should run and does not has failed" {
        Health.of(listOf(array("a", OPTIMAL)), listOf("a", "b")).arrays shouldBe mapOf("a" to OPTIMAL, "b" to FAILED)
    }

    "a degraded array still answers 200, a failed one 503" {
        answer(Health.of(listOf(array("a", OPTIMAL)), emptyList())) shouldBe
            (200 to """{"status":"optimal","arrays":{"a":"optimal"}}""")
        answer(Health.of(listOf(array("a", DEGRADED)), emptyList())).first shouldBe 200
        answer(Health.of(emptyList(), listOf("a"))).first shouldBe 503
    }

    "a port in use is told with a remedy" {
        ServerSocket(0, 1, InetAddress.getByName("127.0.0.1")).use { taken ->
            val where = HttpConfiguration(port = taken.localPort)
            shouldThrow<KernelError.InUse> { HealthServer.start(where) { error("nobody asks") } }
                .what shouldBe "cannot listen at 127.0.0.1:${taken.localPort}"
        }
    }

    "an address beyond this machine is refused" {
        shouldThrow<KernelError.BadConfiguration> {
            HealthServer.start(HttpConfiguration("0.0.0.0", 0)) { error("nobody asks") }
        }
    }
})
