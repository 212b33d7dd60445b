package dev.arraywright.admin.control

import dev.arraywright.admin.control.config.Configuring
import dev.arraywright.admin.control.config.RemoteConfiguring
import dev.arraywright.admin.control.driver.Driving
import dev.arraywright.admin.control.driver.RemoteDriving
import dev.arraywright.admin.control.events.EventClient
import dev.arraywright.admin.control.events.EventRequest
import dev.arraywright.admin.control.machine.RemoteSurvey
import dev.arraywright.admin.control.machine.Surveying
import dev.arraywright.admin.control.protect.Protecting
import dev.arraywright.admin.control.protect.RemoteProtection
import dev.arraywright.kernel.Activity
import dev.arraywright.kernel.ArrayStatus
import dev.arraywright.kernel.ExportInfo
import dev.arraywright.kernel.event.KernelEvent
import io.ktor.http.HttpMethod
import io.ktor.http.HttpStatusCode
import io.ktor.http.encodeURLPathPart
import kotlinx.coroutines.flow.Flow
import java.nio.file.Path

/** The arrays of the process that answers at [socket]; see [ControlServer]. A call ends within ten minutes. */
internal class RemoteControl(private val socket: Path) : Control {
    private val calls = RemoteCalls(socket)

    override val protection: Protecting = RemoteProtection(calls)

    override val machine: Surveying = RemoteSurvey(calls)

    override val drivers: Driving = RemoteDriving(calls)

    override val configuration: Configuring = RemoteConfiguring(calls)

    override suspend fun arrays(): List<ArrayStatus> = calls.get("/arrays")

    override suspend fun array(name: String): ArrayStatus = calls.get(path(name))

    override suspend fun create(request: CreateRequest): ArrayStatus = calls.send(HttpMethod.Post, "/arrays", request)

    override suspend fun assemble(request: AssembleRequest): ArrayStatus =
        calls.send(HttpMethod.Post, "/arrays/assemble", request)

    override suspend fun stop(name: String, forget: Boolean) {
        calls.call(HttpMethod.Post, path(name, "/stop"), RemoteCalls.json.encodeToString(StopRequest(forget)))
    }

    override suspend fun change(name: String, change: MemberChange, member: String): ArrayStatus =
        calls.send(HttpMethod.Post, path(name, "/${change.name.lowercase()}"), MemberRequest(member))

    override suspend fun awaitIdle(name: String, progress: (Activity) -> Unit): ArrayStatus {
        while (true) {
            val response = calls.call(HttpMethod.Get, path(name, "/idle"))
            val status = calls.decode<ArrayStatus>(response)
            if (response.status == HttpStatusCode.OK) return status
            status.activity?.let(progress)
        }
    }

    override suspend fun exports(): List<ExportInfo> = calls.get("/exports")

    override suspend fun export(request: ExportRequest): ExportInfo = calls.send(HttpMethod.Post, "/exports", request)

    override suspend fun unexport(name: String) {
        calls.call(HttpMethod.Delete, "/exports/${name.encodeURLPathPart()}")
    }

    override fun events(request: EventRequest): Flow<KernelEvent> = EventClient(socket).events(request)

    override fun close(): Unit = calls.close()

    private fun path(array: String, rest: String = "") = "/arrays/${array.encodeURLPathPart()}$rest"
}
