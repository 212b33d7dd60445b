package dev.arraywright.admin.control.driver

import dev.arraywright.admin.control.RemoteCalls
import io.ktor.http.HttpMethod
import io.ktor.http.encodeURLPathPart

/** The drivers of the process that answers [calls]; see [driverRoutes]. */
internal class RemoteDriving(private val calls: RemoteCalls) : Driving {
    override suspend fun drivers(): DriversView = calls.get("/drivers")

    override suspend fun driver(name: String): DriverView = calls.get(path(name))

    override suspend fun load(request: LoadRequest): DriverView = calls.send(HttpMethod.Post, "/drivers", request)

    override suspend fun unload(name: String, failDevices: Boolean) {
        calls.call(HttpMethod.Delete, path(name, "?failDevices=$failDevices"))
    }

    override suspend fun upgrade(name: String, request: UpgradeRequest): UpgradeView =
        calls.send(HttpMethod.Post, path(name, "/upgrade"), request)

    private fun path(name: String, rest: String = "") = "/drivers/${name.encodeURLPathPart()}$rest"
}
