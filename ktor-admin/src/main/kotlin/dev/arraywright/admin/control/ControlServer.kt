package dev.arraywright.admin.control

import dev.arraywright.admin.control.config.configurationRoutes
import dev.arraywright.admin.control.driver.driverRoutes
import dev.arraywright.admin.control.events.EventFeed
import dev.arraywright.admin.control.events.EventRequest
import dev.arraywright.admin.control.machine.machineRoutes
import dev.arraywright.admin.control.protect.protectionRoutes
import dev.arraywright.admin.http.end
import dev.arraywright.admin.http.listening
import dev.arraywright.kernel.KernelError
import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.cio.unixConnector
import io.ktor.server.request.receiveChannel
import io.ktor.server.response.respond
import io.ktor.server.response.respondBytesWriter
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.delete
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route
import io.ktor.server.routing.routing
import io.ktor.server.util.getOrFail
import io.ktor.utils.io.readRemaining
import io.ktor.utils.io.writeStringUtf8
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.io.readByteArray
import kotlinx.serialization.SerializationException
import kotlinx.serialization.json.Json
import org.slf4j.LoggerFactory
import java.io.IOException
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.deleteIfExists
import kotlin.io.path.setPosixFilePermissions
import kotlin.time.Duration.Companion.milliseconds

/**
 * The control surface of a process that holds arrays: REST on the Unix [socket], which only its owner may open.
 * Answers are JSON, failures problem documents; `GET /events` streams the kernel's events (server-sent events) from
 * number `since` on, or the latest, and with `follow=false` ends with the newest.
 */
internal class ControlServer private constructor(
    private val socket: Path,
    private val end: () -> Unit,
) : AutoCloseable {
    /** Ends the server, waiting a second at most for calls in flight, and removes the socket. */
    override fun close() {
        end()
        socket.deleteIfExists()
    }

    companion object {
        /** Listens at [socket], which is free; returns once clients can connect. */
        suspend fun start(socket: Path, control: Control): ControlServer {
            val server = try {
                listening({ unixConnector(socket.toString()) }) { controlRoutes(control) }
            } catch (e: IOException) {
                throw KernelError.InvalidRequest(
                    "cannot open the control socket $socket",
                    e.message.orEmpty(),
                    "set ARRAYWRIGHT_RUNTIME_DIR to a directory of your own",
                    e,
                )
            }
            socket.setPosixFilePermissions(PosixFilePermissions.fromString("rw-------"))
            return ControlServer(socket, server::end)
        }
    }
}

internal val json = Json { encodeDefaults = true }
private val log = LoggerFactory.getLogger(ControlServer::class.java)

internal fun Application.controlRoutes(control: Control) {
    routing {
        route("/arrays") { arrayRoutes(control) }
        route("/exports") { exportRoutes(control) }
        protectionRoutes(control.protection)
        machineRoutes(control.machine)
        driverRoutes(control.drivers)
        configurationRoutes(control.configuration)
        get("/events") { call.events(control) }
    }
}

private fun Route.arrayRoutes(control: Control) {
    get { call.answer { control.arrays() } }
    post { call.answer(HttpStatusCode.Created) { control.create(call.body()) } }
    post("/assemble") { call.answer(HttpStatusCode.Created) { control.assemble(call.body()) } }
    route("/{name}") {
        get { call.answer { control.array(call.parameter("name")) } }
        get("/idle") { call.idle(control) }
        post("/stop") { call.answer { control.stop(call.parameter("name"), call.body<StopRequest>().forget) } }
        for (change in MemberChange.entries) {
            post("/${change.name.lowercase()}") {
                call.answer { control.change(call.parameter("name"), change, call.body<MemberRequest>().member) }
            }
        }
    }
}

private fun Route.exportRoutes(control: Control) {
    get { call.answer { control.exports() } }
    post { call.answer(HttpStatusCode.Created) { control.export(call.body()) } }
    delete("/{name}") { call.answer { control.unexport(call.parameter("name")) } }
}

/** 200 with the array's state once nothing runs on it, 202 with the state so far after half a second. */
private suspend fun ApplicationCall.idle(control: Control) {
    val done = try {
        withTimeoutOrNull(500.milliseconds) { control.awaitIdle(parameter("name")) {} }
    } catch (e: CancellationException) {
        throw e
    } catch (e: Exception) {
        return refuse(Problem.of(e), e)
    }
    answer(if (done == null) HttpStatusCode.Accepted else HttpStatusCode.OK) {
        done ?: control.array(parameter("name"))
    }
}

internal suspend inline fun <reified T> ApplicationCall.answer(
    status: HttpStatusCode = HttpStatusCode.OK,
    block: () -> T,
) {
    val text = try {
        json.encodeToString(block())
    } catch (e: CancellationException) {
        throw e
    } catch (e: Exception) {
        return refuse(Problem.of(e), e)
    }
    if (text == "{}") respond(HttpStatusCode.NoContent) else respondText(text, ContentType.Application.Json, status)
}

internal suspend fun ApplicationCall.refuse(problem: Problem, cause: Exception) {
    if (problem.code == "internal") log.error("a control call failed", cause)
    val type = ContentType.parse(Problem.MEDIA_TYPE)
    respondText(json.encodeToString(problem), type, HttpStatusCode.fromValue(problem.status))
}

internal fun ApplicationCall.parameter(name: String): String = parameters.getOrFail(name)

internal suspend inline fun <reified T> ApplicationCall.body(): T {
    val bytes = receiveChannel().readRemaining(LARGEST_BODY + 1).readByteArray()
    return try {
        require(bytes.size <= LARGEST_BODY) { "the request has more than $LARGEST_BODY bytes" }
        json.decodeFromString<T>(bytes.decodeToString())
    } catch (e: SerializationException) {
        throw KernelError.InvalidRequest("cannot read the request", e.message.orEmpty().lineSequence().first(), "", e)
    } catch (e: IllegalArgumentException) {
        throw KernelError.InvalidRequest("cannot read the request", e.message.orEmpty(), "", e)
    }
}

/** Until the client goes, or there are no more. */
private suspend fun ApplicationCall.events(control: Control) {
    val request = try {
        EventRequest(number("since"), parameters["follow"] != "false")
    } catch (e: KernelError) {
        return refuse(Problem.of(e), e)
    }
    respondBytesWriter(ContentType.Text.EventStream) {
        EventFeed.of(control.events(request), request.follow).collect {
            writeStringUtf8(it)
            flush()
        }
    }
}

private fun ApplicationCall.number(name: String): Long? = parameters[name]?.let {
    it.toLongOrNull() ?: throw KernelError.InvalidRequest("cannot read the request", "$name is no number: $it")
}

internal const val LARGEST_BODY = 1L shl 20
