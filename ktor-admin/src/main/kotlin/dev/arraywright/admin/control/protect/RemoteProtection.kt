package dev.arraywright.admin.control.protect

import dev.arraywright.admin.control.RemoteCalls
import dev.arraywright.kernel.spare.ProtectionStatus
import io.ktor.http.HttpMethod
import io.ktor.http.encodeURLPathPart

/** How the process that answers [calls] looks after its arrays; see [protectionRoutes]. */
internal class RemoteProtection(private val calls: RemoteCalls) : Protecting {
    override suspend fun status(): ProtectionStatus = calls.get("/protection")

    override suspend fun addSpare(request: SpareRequest): ProtectionStatus =
        calls.send(HttpMethod.Post, "/spares", request)

    override suspend fun removeSpare(address: String) {
        calls.call(HttpMethod.Delete, "/spares/${address.encodeURLPathPart()}")
    }

    override suspend fun rebuild(array: String, request: RebuildRequest): ProtectionStatus =
        calls.send(HttpMethod.Post, "/arrays/${array.encodeURLPathPart()}/rebuild", request)

    override suspend fun change(rebuild: String, change: RebuildChange) {
        calls.call(HttpMethod.Post, "/rebuilds/${rebuild.encodeURLPathPart()}/${change.name.lowercase()}")
    }

    override suspend fun scrub(array: String, change: ScrubChange, request: ScrubRequest): ProtectionStatus =
        calls.send(HttpMethod.Post, "/arrays/${array.encodeURLPathPart()}/scrub/${change.name.lowercase()}", request)

    override suspend fun policy(): Map<String, String> = calls.get("/policy")

    override suspend fun setPolicy(settings: Map<String, String>): Map<String, String> =
        calls.send(HttpMethod.Patch, "/policy", settings)
}
