package dev.arraywright.kernel.config

import kotlinx.serialization.Serializable

/** Where the NBD server listens: TCP [host] and [port], or a Unix [socket]; beyond loopback only with [allowRemote]. */
@Serializable
public data class NbdConfiguration(
    public val host: String = "127.0.0.1",
    public val port: Int = 10809,
    public val socket: String? = null,
    public val allowRemote: Boolean = false,
) {
    init {
        require(port in 0..65535) { "nbd: the port $port is not within 0 to 65535" }
    }
}

/** Where the admin surface listens: loopback [host] and [port] (0 takes a free one). */
@Serializable
public data class HttpConfiguration(
    public val host: String = "127.0.0.1",
    public val port: Int = 8809,
) {
    init {
        require(port in 0..65535) { "http: the port $port is not within 0 to 65535" }
    }
}
