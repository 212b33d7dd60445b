package dev.arraywright.admin.control.driver

import dev.arraywright.admin.control.answer
import dev.arraywright.admin.control.body
import dev.arraywright.admin.control.parameter
import dev.arraywright.kernel.KernelError
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.ApplicationCall
import io.ktor.server.routing.Route
import io.ktor.server.routing.delete
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route

/** The drivers that are loaded at run time, by name. */
internal fun Route.driverRoutes(driving: Driving) {
    route("/drivers") {
        get { call.answer { driving.drivers() } }
        post { call.answer(HttpStatusCode.Created) { driving.load(call.body()) } }
        route("/{driver}") {
            get { call.answer { driving.driver(call.parameter("driver")) } }
            delete { call.answer { driving.unload(call.parameter("driver"), call.failsDevices()) } }
            post("/upgrade") { call.answer { driving.upgrade(call.parameter("driver"), call.body()) } }
        }
    }
}

private fun ApplicationCall.failsDevices(): Boolean = parameters["failDevices"]?.let {
    it.toBooleanStrictOrNull()
        ?: throw KernelError.InvalidRequest("cannot read the request", "failDevices is neither true nor false: $it")
} ?: false
