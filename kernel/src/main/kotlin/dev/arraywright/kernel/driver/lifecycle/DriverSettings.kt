package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.nearest
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.shown

/** What a driver gets for what is configured. */
internal object DriverSettings {
    /**
     * The configured settings and, for others, their default values.
     *
     * @throws KernelError.BadConfiguration if the driver declares no such setting, a value is not of its type, or a
     *   required one is absent
     */
    fun of(info: DriverInfo, configured: Map<String, String>): Map<String, String> {
        val declared = info.settings.associateBy { it.name }
        for ((name, value) in configured) {
            val setting = declared[name] ?: throw refusal(info, unknown(name, declared.keys))
            setting.problemWith(value)?.let { throw refusal(info, it) }
        }
        val missing = info.settings.filter { it.required && it.name !in configured }
        if (missing.isNotEmpty()) {
            throw refusal(info, "required and absent: " + missing.joinToString { "${it.name} (${it.description})" })
        }
        val defaults = info.settings.mapNotNull { setting -> setting.defaultValue?.let { setting.name to it } }
        return defaults.toMap() + configured
    }

    private fun unknown(name: String, known: Set<String>): String =
        if (known.isEmpty()) {
            "it has no settings, and ${shown(name)} is given"
        } else {
            "it has no setting ${shown(name)}; did you mean '${nearest(name, known)}'?"
        }

    private fun refusal(info: DriverInfo, why: String) = KernelError.BadConfiguration(
        "cannot take the settings of the driver ${info.name}",
        why,
        "correct drivers.${info.name}.settings; the driver is as it was",
    )
}
