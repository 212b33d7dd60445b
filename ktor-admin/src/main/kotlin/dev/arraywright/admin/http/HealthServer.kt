package dev.arraywright.admin.http

import dev.arraywright.kernel.ArrayHealth
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.HttpConfiguration
import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.engine.ApplicationEngine
import io.ktor.server.engine.connector
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json
import java.io.IOException
import java.net.InetAddress

/**
 * What `GET /health` answers. Status 200 while every array serves, be it degraded (the body says so: replace a member,
 * but do not take the service away), 503 once one does not.
 */
@Serializable
internal data class Health(val status: ArrayHealth, val arrays: Map<String, ArrayHealth>) {
    val code: HttpStatusCode
        get() = when (status) {
            ArrayHealth.OPTIMAL, ArrayHealth.DEGRADED -> HttpStatusCode.OK
            ArrayHealth.FAILED, ArrayHealth.STOPPED -> HttpStatusCode.ServiceUnavailable
        }

    companion object {
        /** Of what runs; an array that is [expected] and does not run has failed. */
        fun of(running: List<ArrayStatus>, expected: Collection<String>): Health {
            val all = expected.associateWith { ArrayHealth.FAILED } + running.associate { it.name to it.health }
            return Health(all.values.maxOrNull() ?: ArrayHealth.OPTIMAL, all.toSortedMap())
        }
    }
}

internal fun Application.healthRoute(health: () -> Health) {
    routing {
        get("/health") {
            val now = health()
            call.respondText(Json.encodeToString(now), ContentType.Application.Json, now.code)
        }
    }
}

/** Answers `GET /health` over TCP at [port] until closed. */
internal class HealthServer private constructor(val port: Int, private val end: () -> Unit) : AutoCloseable {
    override fun close(): Unit = end()

    companion object {
        /**
         * Listens where [where] says, which must be a loopback address: whoever connects may ask.
         *
         * @throws KernelError.InUse if the port is taken
         */
        suspend fun start(where: HttpConfiguration, health: () -> Health): HealthServer {
            if (!InetAddress.getByName(where.host).isLoopbackAddress) {
                throw KernelError.BadConfiguration(
                    "cannot answer health questions at ${where.host}",
                    "that is no loopback address",
                    "write 127.0.0.1 or ::1 as http.host",
                )
            }
            try {
                val server = listening({ tcp(where) }) { healthRoute(health) }
                return HealthServer(server.engine.resolvedConnectors().first().port, server::end)
            } catch (e: IOException) {
                throw KernelError.InUse(
                    "cannot listen at ${where.host}:${where.port}",
                    e.message.orEmpty(),
                    "end what uses the port, or write another one as http.port in the configuration",
                    e,
                )
            }
        }
    }
}

private fun ApplicationEngine.Configuration.tcp(where: HttpConfiguration) {
    connector {
        host = where.host
        port = where.port
    }
}
