package dev.arraywright.admin.control.machine

import dev.arraywright.admin.control.RemoteCalls
import io.ktor.http.HttpMethod
import io.ktor.http.encodeURLPathPart

/** The machine as the process that answers [calls] sees it; see [machineRoutes]. */
internal class RemoteSurvey(private val calls: RemoteCalls) : Surveying {
    override suspend fun hardware(): HardwareView = calls.get("/hardware")

    override suspend fun device(name: String): DeviceDetail = calls.get("/hardware/${name.encodeURLPathPart()}")

    override suspend fun rescan(): HardwareView = calls.decode(calls.call(HttpMethod.Post, "/hardware/rescan"))

    override suspend fun health(): HealthStatus = calls.get("/health")

    override suspend fun capabilities(): List<CapabilityView> = calls.get("/capabilities")

    override suspend fun platform(): PlatformView = calls.get("/platform")

    override suspend fun memory(): MemoryView = calls.get("/memory")

    override suspend fun numa(): NumaView = calls.get("/numa")
}
