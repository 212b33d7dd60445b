package dev.arraywright.admin.serve

import kotlinx.serialization.Serializable
import java.nio.file.Path
import kotlin.io.path.isReadable
import kotlin.io.path.readText

/** Where a process that is ready listens; [startMillis] have passed since it was started, where the platform tells. */
@Serializable
internal data class Ready(
    val exports: List<String>,
    val health: String? = null,
    val control: String,
    val configuration: String? = null,
    val startMillis: Long? = startedAgo(),
) {
    val text: String
        get() {
            val where = exports + listOfNotNull(health, "control $control", configuration?.let { "configuration $it" })
            return where.joinToString("\n", postfix = "\nready${startMillis?.let { " after $it ms" }.orEmpty()}")
        }
}

/**
 * Milliseconds since this process was started, from proc(5): `starttime` of `/proc/self/stat`, in ticks of 10 ms, and
 * `/proc/uptime`. The JDK's own figure is off by up to a second, for the boot time it adds to has whole seconds.
 */
private fun startedAgo(): Long? {
    val stat = Path.of("/proc/self/stat").takeIf { it.isReadable() } ?: return null
    // The second field may hold spaces; it ends at the last parenthesis, and the third comes after it.
    val ticks = stat.readText().substringAfterLast(')').trim().split(' ')[START_TIME - 3].toLong()
    val uptime = Path.of("/proc/uptime").readText().substringBefore(' ').toDouble()
    return (uptime * 1000).toLong() - ticks * TICK
}

private const val START_TIME = 22
private const val TICK = 10
