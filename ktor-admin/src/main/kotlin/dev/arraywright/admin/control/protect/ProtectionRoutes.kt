package dev.arraywright.admin.control.protect

import dev.arraywright.admin.control.answer
import dev.arraywright.admin.control.body
import dev.arraywright.admin.control.parameter
import io.ktor.http.HttpStatusCode
import io.ktor.server.routing.Route
import io.ktor.server.routing.delete
import io.ktor.server.routing.get
import io.ktor.server.routing.patch
import io.ktor.server.routing.post
import io.ktor.server.routing.route

/** Spares, rebuilds, scrubs and the policy, at the root. */
internal fun Route.protectionRoutes(protecting: Protecting) {
    get("/protection") { call.answer { protecting.status() } }
    route("/spares") {
        get { call.answer { protecting.status().spares } }
        post { call.answer(HttpStatusCode.Created) { protecting.addSpare(call.body()) } }
        delete("/{address}") { call.answer { protecting.removeSpare(call.parameter("address")) } }
    }
    route("/rebuilds") {
        get { call.answer { protecting.status().rebuilds } }
        for (change in RebuildChange.entries) {
            post("/{id}/${change.name.lowercase()}") { call.answer { protecting.change(call.parameter("id"), change) } }
        }
    }
    get("/scrubs") { call.answer { protecting.status().scrubs } }
    route("/policy") {
        get { call.answer { protecting.policy() } }
        patch { call.answer { protecting.setPolicy(call.body()) } }
    }
    route("/arrays/{name}") {
        post("/rebuild") { call.answer { protecting.rebuild(call.parameter("name"), call.body()) } }
        for (change in ScrubChange.entries) {
            post("/scrub/${change.name.lowercase()}") {
                call.answer { protecting.scrub(call.parameter("name"), change, call.body()) }
            }
        }
    }
}
