package dev.arraywright.admin.control.driver

import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.config.file.ConfigurationFile
import dev.arraywright.kernel.driver.DriverManager
import java.nio.file.InvalidPathException
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap

/**
 * Notes in [file] which jars of which drivers [manager] has loaded, for the next process. A driver that the drivers'
 * directory loads by itself is not noted. Settings that a load gave are noted, and taken back when the driver is
 * unloaded: those that were configured before, or were edited since, stay. So do all that an earlier process noted.
 */
internal class KeptDrivers(private val file: ConfigurationFile, private val manager: DriverManager) {
    /** Of each driver the settings that were noted, and what they took the place of. */
    private val noted = ConcurrentHashMap<String, Map<String, Noted>>()

    private class Noted(val value: String, val before: String?)

    /** [name] was loaded. */
    suspend fun loaded(name: String, type: String?, settings: Map<String, String>) {
        val earlier = noted[name].orEmpty()
        var now: Map<String, Noted>? = null
        file.change { c ->
            val old = c.drivers[name] ?: DriverConfiguration()
            val kept = place(c, name, old, type) ?: return@change c
            if (kept.jar == null) return@change c.with(name, kept)
            // What counts comes first; what is behind it has the same done to it.
            now = now ?: settings.mapValues { (key, value) ->
                val there = old.settings[key]
                val same = earlier[key]?.takeIf { it.value == there }
                Noted(value, if (same == null) there else same.before)
            }
            c.with(name, kept.copy(settings = old.settings + settings))
        }
        noted[name] = earlier + now.orEmpty()
    }

    /** [name] was unloaded. */
    suspend fun unloaded(name: String) {
        var back = false
        file.change { c ->
            // Somebody may have loaded it again by now.
            back = manager.status(name)?.isLoaded == true
            val old = c.drivers[name]
            if (old == null || back) return@change c
            val own = noted[name].orEmpty().filter { (key, it) -> old.settings[key] == it.value }
            val before = own.mapNotNull { (key, it) -> it.before?.let { was -> key to was } }
            c.with(name, DriverConfiguration(old.settings - own.keys + before))
        }
        if (!back) noted.remove(name)
    }

    /** What is loaded from where, by name; for [upgraded]. */
    fun jars(): Map<String, Path?> = manager.drivers.value.filterValues { it.isLoaded }.mapValues { it.value.jar }

    /** Some of what was loaded from [before] has come from elsewhere since. */
    suspend fun upgraded(before: Map<String, Path?>) {
        val moved = jars().filter { (name, jar) -> name in before && before[name] != jar }.keys
        file.change { c ->
            moved.fold(c) { all, name ->
                val old = all.drivers[name] ?: DriverConfiguration()
                // By its name alone, for that is how it was found in the jar.
                all.with(name, place(all, name, old, type = null) ?: old)
            }
        }
    }

    /** What is configured of [name] with its jar, or without if the drivers' directory sees to it; null if it is gone. */
    private fun place(c: Configuration, name: String, old: DriverConfiguration, type: String?): DriverConfiguration? {
        val status = manager.status(name)?.takeIf { it.isLoaded } ?: return null
        val jar = status.jar?.toAbsolutePath()?.normalize() ?: return null
        val itself = status.info?.autoLoad == true && jar.parent == directory(c)
        return if (itself) DriverConfiguration(old.settings) else DriverConfiguration(old.settings, "$jar", type)
    }

    /** One of which nothing is said is as good as none. */
    private fun Configuration.with(name: String, driver: DriverConfiguration): Configuration = when (driver) {
        drivers[name] -> this
        DriverConfiguration() -> copy(drivers = drivers - name)
        else -> copy(drivers = drivers + (name to driver))
    }

    private fun directory(c: Configuration): Path? = try {
        c.driverDirectory?.let { Path.of(it).toAbsolutePath().normalize() }
    } catch (_: InvalidPathException) {
        null
    }
}
