package dev.arraywright.hardware.nbd.server

import java.nio.file.Path

/** Where a server listens. */
public sealed interface NbdEndpoint {
    /**
     * A TCP port; 0 takes a free one, told by [NbdServer.address].
     *
     * @property allowRemote NBD has no passwords: a host other than the loopback is refused unless this asks for it
     */
    public data class Tcp(
        val host: String = "127.0.0.1",
        val port: Int = 10809,
        val allowRemote: Boolean = false,
    ) : NbdEndpoint {
        init {
            require(port in 0..65535) { "not a port: $port" }
        }

        override fun toString(): String = if (':' in host) "[$host]:$port" else "$host:$port"
    }

    /** A Unix socket; one left behind by a dead server is replaced, the file is removed at close. */
    public data class Unix(val path: Path) : NbdEndpoint {
        override fun toString(): String = path.toString()
    }
}

/**
 * A server could not start listening: what and why in the message, what to do in [remedy].
 */
public sealed class NbdListenException(
    message: String,
    public val remedy: String,
    cause: Throwable? = null,
) : Exception(message, cause) {
    /** Another server listens there. */
    public class AddressInUse(public val endpoint: NbdEndpoint, cause: Throwable? = null) :
        NbdListenException("$endpoint is in use by another server", remedyOf(endpoint), cause)

    /** Not a loopback address, and [NbdEndpoint.Tcp.allowRemote] is off. */
    public class RemoteRefused(public val endpoint: NbdEndpoint.Tcp) :
        NbdListenException(
            "${endpoint.host} can be reached from other machines, and NBD has no passwords",
            "listen on 127.0.0.1, or allow remote clients explicitly",
        )

    /** The path is taken by something that is no socket; it is left alone. */
    public class NotASocket(public val path: Path) :
        NbdListenException("$path exists and is no socket", "choose another path or remove it")

    /** The system says no: no such address, no permission, a path too long. */
    public class Refused(public val endpoint: NbdEndpoint, cause: Throwable) :
        NbdListenException(
            "cannot listen on $endpoint: ${cause.message ?: cause}",
            "check the address and its permissions",
            cause,
        )

    private companion object {
        fun remedyOf(endpoint: NbdEndpoint): String = when (endpoint) {
            is NbdEndpoint.Tcp -> "choose another port, or port 0 for a free one"
            is NbdEndpoint.Unix -> "stop that server or choose another path"
        }
    }
}
