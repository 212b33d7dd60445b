package dev.arraywright.admin.control.config

import dev.arraywright.admin.control.RemoteCalls
import io.ktor.http.HttpMethod

/** The configuration of the process that answers [calls]; see [configurationRoutes]. */
internal class RemoteConfiguring(private val calls: RemoteCalls) : Configuring {
    override suspend fun configuration(): ConfigurationView = calls.get("/configuration")

    override suspend fun reload(): ReloadView =
        calls.decode(calls.call(HttpMethod.Post, "/configuration/reload"))
}
