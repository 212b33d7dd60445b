package dev.arraywright.admin.control.machine

import dev.arraywright.admin.control.answer
import dev.arraywright.admin.control.parameter
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route

/** The machine, at the root; a device is named by its id, name, serial number or path. */
internal fun Route.machineRoutes(survey: Surveying) {
    route("/hardware") {
        get { call.answer { survey.hardware() } }
        post("/rescan") { call.answer { survey.rescan() } }
        get("/{device}") { call.answer { survey.device(call.parameter("device")) } }
    }
    get("/health") { call.answer { survey.health() } }
    get("/capabilities") { call.answer { survey.capabilities() } }
    get("/platform") { call.answer { survey.platform() } }
    get("/memory") { call.answer { survey.memory() } }
    get("/numa") { call.answer { survey.numa() } }
}
