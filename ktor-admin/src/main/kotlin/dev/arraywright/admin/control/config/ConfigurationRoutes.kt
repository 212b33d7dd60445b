package dev.arraywright.admin.control.config

import dev.arraywright.admin.control.answer
import io.ktor.server.routing.Route
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.route

/** The configuration file: what counts of it, and a reload that does not wait for the file to be seen. */
internal fun Route.configurationRoutes(configuring: Configuring) {
    route("/configuration") {
        get { call.answer { configuring.configuration() } }
        post("/reload") { call.answer { configuring.reload() } }
    }
}
