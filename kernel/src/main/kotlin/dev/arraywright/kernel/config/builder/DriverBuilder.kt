package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.DriverConfiguration

/** [DriverConfiguration], key by key. */
@ConfigurationDsl
public class DriverBuilder internal constructor(from: DriverConfiguration) {
    @get:JvmSynthetic
    @set:JvmSynthetic
    public var settings: Map<String, String> = from.settings

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var jar: String? = from.jar

    @get:JvmSynthetic
    @set:JvmSynthetic
    public var type: String? = from.type

    public fun settings(value: Map<String, String>): DriverBuilder = apply { settings = value.toMap() }

    /** Sets one of [settings]. */
    public fun setting(name: String, value: String): DriverBuilder = apply { settings += name to value }

    public fun setting(name: String, value: Number): DriverBuilder = setting(name, value.toString())

    public fun setting(name: String, value: Boolean): DriverBuilder = setting(name, value.toString())

    public fun jar(value: String?): DriverBuilder = apply { jar = value }

    public fun type(value: String?): DriverBuilder = apply { type = value }

    internal fun build(): DriverConfiguration = DriverConfiguration(settings.toMap(), jar, type)
}
