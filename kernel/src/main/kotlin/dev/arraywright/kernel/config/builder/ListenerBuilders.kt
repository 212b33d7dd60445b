package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.HttpConfiguration
import dev.arraywright.kernel.config.NbdConfiguration

/** [NbdConfiguration], key by key. */
@ConfigurationDsl
public class NbdBuilder internal constructor(from: NbdConfiguration) {
    @get:JvmSynthetic
    @set:JvmSynthetic
    public var host: String = from.host

    public fun host(value: String): NbdBuilder = apply { host = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var port: Int = from.port

    public fun port(value: Int): NbdBuilder = apply { port = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var socket: String? = from.socket

    public fun socket(value: String?): NbdBuilder = apply { socket = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var allowRemote: Boolean = from.allowRemote

    public fun allowRemote(value: Boolean): NbdBuilder = apply { allowRemote = value }

    internal fun build(): NbdConfiguration = NbdConfiguration(
        host = host,
        port = port,
        socket = socket,
        allowRemote = allowRemote,
    )
}

/** [HttpConfiguration], key by key. */
@ConfigurationDsl
public class HttpBuilder internal constructor(from: HttpConfiguration) {
    @get:JvmSynthetic
    @set:JvmSynthetic
    public var host: String = from.host

    public fun host(value: String): HttpBuilder = apply { host = value }

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var port: Int = from.port

    public fun port(value: Int): HttpBuilder = apply { port = value }

    internal fun build(): HttpConfiguration = HttpConfiguration(
        host = host,
        port = port,
    )
}
