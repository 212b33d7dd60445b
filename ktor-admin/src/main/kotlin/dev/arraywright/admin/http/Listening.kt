package dev.arraywright.admin.http

import io.ktor.server.application.Application
import io.ktor.server.application.serverConfig
import io.ktor.server.cio.CIO
import io.ktor.server.cio.CIOApplicationEngine
import io.ktor.server.engine.EmbeddedServer
import io.ktor.server.engine.embeddedServer
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import org.slf4j.LoggerFactory
import java.io.IOException
import java.util.concurrent.atomic.AtomicBoolean

private val log = LoggerFactory.getLogger("dev.arraywright.admin.http")

internal typealias WebServer = EmbeddedServer<CIOApplicationEngine, CIOApplicationEngine.Configuration>

/**
 * A server with the connectors that [configure] sets up, listening already. One that cannot bind ends its own job and
 * throws what that ended with; what comes out here is the [IOException] beneath, and is not printed as well.
 */
internal suspend fun listening(
    configure: CIOApplicationEngine.Configuration.() -> Unit,
    module: Application.() -> Unit,
): WebServer {
    val started = AtomicBoolean()
    val failed = CoroutineExceptionHandler { _, e -> if (started.get()) log.error("a web server failed", e) }
    val config = serverConfig {
        parentCoroutineContext = failed
        module { module() }
    }
    val server = embeddedServer(CIO, config, configure)
    try {
        server.startSuspend(wait = false)
        started.set(true)
        return server
    } catch (e: Exception) {
        currentCoroutineContext().ensureActive()
        server.stop(0, 0)
        throw generateSequence<Throwable>(e) { it.cause }.firstOrNull { it is IOException } ?: e
    }
}

/** Ends it, waiting a second at most for calls in flight. */
internal fun WebServer.end(): Unit = stop(0, 1_000)
