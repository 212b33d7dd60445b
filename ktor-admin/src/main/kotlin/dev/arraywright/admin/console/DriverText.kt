package dev.arraywright.admin.console

import dev.arraywright.admin.console.DetailText.rounded
import dev.arraywright.admin.control.driver.AnnouncedView
import dev.arraywright.admin.control.driver.CandidateView
import dev.arraywright.admin.control.driver.DriverView
import dev.arraywright.admin.control.driver.DriversView
import dev.arraywright.admin.control.driver.ScanView
import dev.arraywright.admin.control.driver.SettingView
import dev.arraywright.admin.control.driver.UpgradeView
import java.util.Locale

/** Drivers as they are printed. */
internal object DriverText {
    /**
     * What is loaded first, then what could be, then what is built in; below it the jars that are rejected, of which
     * nothing but the reason is of interest. No wider than [WIDTH] unless names and versions are longer than usual.
     */
    fun table(all: DriversView): String {
        val statistics = all.statistics
        val notes = listOfNotNull(
            "${statistics.leaked} unloaded and yet in memory".takeIf { statistics.leaked > 0 },
            "${statistics.stranded} that hang while they are loaded".takeIf { statistics.stranded > 0 },
        )
        val (rejected, sound) = all.drivers.partition { it.state == "rejected" }
        val order = compareBy<DriverView> { it.builtIn }.thenBy { it.state == "discovered" }.thenBy { it.name }
        val shown = sound.sortedWith(order)
        val heading = listOf("Driver", "Version", "State", "Serves", "Devices", "Calls", "Errors", "p50", "p99")
        val rows = shown.map { listOf(it.name, it.announced?.version ?: "-", state(it), "") + counts(it) }
        val others = heading.indices.filter { it != SERVES }
            .sumOf { column -> GAP + (rows + listOf(heading)).maxOf { it[column].length } }
        val room = (WIDTH - others - GAP).coerceAtLeast(heading[SERVES].length)
        val cells = rows.zip(shown) { row, driver ->
            row.toMutableList().also { it[SERVES] = fitting(driver.announced?.supportedDevices.orEmpty(), room) }
        }
        val table = if (cells.isEmpty()) "no driver is loaded" else Table.of(heading, cells)
        return (listOf(table) + rejected.map { "rejected: ${it.jar ?: it.name}: ${it.detail}" } + notes)
            .joinToString("\n")
    }

    private fun counts(driver: DriverView): List<String> = with(driver.figures) {
        if (driver.state == "discovered") return List(5) { "-" }
        val latency = if (calls == 0L) List(2) { "-" } else listOf(latency(p50Micros), latency(p99Micros))
        listOf("${driver.devices.size}", "$calls", "$errors") + latency
    }

    /** As many as there is room for; the rest is with all else that is known of the driver. */
    private fun fitting(served: List<String>, room: Int): String {
        val whole = served.joinToString(",").ifEmpty { "-" }
        return if (whole.length <= room) whole else whole.take(room - 2).substringBeforeLast(',') + ",…"
    }

    /** All that is known of a driver. */
    fun detail(driver: DriverView): String {
        val announced = driver.announced
        val (why, held) = driver.detail?.lines().orEmpty().let { it.firstOrNull() to it.drop(1) }
        val fields = listOf(
            "State" to state(driver) + " since ${driver.since}",
            "Why" to why,
        ) + held.map { holder(it.trim()) } + listOf(
            "Jar" to (driver.jar ?: "none: it comes with Arraywright, and stays"),
        ) + announced?.let {
            fields(it, driver.builtIn)
        }.orEmpty() + announced?.settings.orEmpty().map { setting(it, driver.settings) } +
            undeclared(driver) + figures(driver) +
            driver.devices.map { "Open" to it } + driver.notes.map { "Note" to it }
        return listOfNotNull(driver.name, announced?.version).joinToString(" ") + ":\n" + Fields.of(fields)
    }

    private fun state(driver: DriverView) = driver.state + when {
        driver.quarantined -> ", quarantined"
        driver.builtIn -> ", built in"
        else -> ""
    }

    /** A line of the report of a leak that is no holder says so itself. */
    private fun holder(line: String): Pair<String, String> {
        val title = OTHER_LINES.keys.firstOrNull(line::startsWith) ?: return "Held by" to line
        return OTHER_LINES.getValue(title) to line.removePrefix(title)
    }

    private fun fields(announced: AnnouncedView, builtIn: Boolean): List<Pair<String, String?>> = listOf(
        "Description" to announced.description,
        "Class" to announced.entryType,
        "Serves" to announced.supportedDevices.joinToString(),
        "Platform" to "${announced.minimumPlatform} or later".takeIf { !builtIn },
        "Loaded" to (if (announced.autoLoad) "as soon as its jar is found" else "when it is asked for")
            .takeIf { !builtIn },
        "Upgrade" to "opens its devices beside the old ones".takeIf { announced.opensBeside && !builtIn },
        "Requires" to announced.requires.joinToString().ifEmpty { null },
    )

    private fun setting(setting: SettingView, inForce: Map<String, String>): Pair<String, String> {
        val about = listOfNotNull(
            setting.type,
            setting.choices.joinToString("|").ifEmpty { null },
            if (setting.required) "required" else setting.default?.let { "default $it" },
        ).joinToString()
        val value = inForce[setting.name]?.let { " = $it" }.orEmpty()
        return "Setting" to "${setting.name}$value ($about): ${setting.description}"
    }

    private fun undeclared(driver: DriverView): List<Pair<String, String>> {
        val declared = driver.announced?.settings.orEmpty().map { it.name }.toSet()
        return (driver.settings - declared).map { (name, value) -> "Setting" to "$name = $value" }
    }

    /** Nothing for what was never loaded. */
    private fun figures(driver: DriverView): List<Pair<String, String?>> {
        val load = driver.loadMillis
        if (load == null && !driver.builtIn) return emptyList()
        val calls = driver.figures
        return listOf(
            "Health" to listOf(driver.health, driver.healthDetail).filter { it.isNotEmpty() }.joinToString(": "),
            "Load" to load?.let { "$it ms, ${driver.classes} classes (${rounded(driver.classBytes)})" },
            "Calls" to "${calls.calls} on ${calls.opens} opened devices, ${calls.errors} errors",
            "Latency" to calls.takeIf { it.calls > 0 }?.run {
                "p50 ${latency(p50Micros)}, p99 ${latency(p99Micros)}, ${latency(meanMicros)} on average, " +
                    "${latency(maxMicros)} at most"
            },
        )
    }

    /** What jars have, and then what is wrong with those that were rejected. */
    fun scan(found: ScanView): String {
        val heading = listOf("Driver", "Version", "Serves", "Class", "Jar")
        val rows = found.candidates.map { it.announced.run { row(it, this) } }
        val table = if (rows.isEmpty()) "there is no driver" else Table.of(heading, rows)
        val notes = found.candidates.flatMap { candidate ->
            candidate.notes.map { "${candidate.announced.name}: $it" }
        }
        val rejected = found.rejected.map { "rejected: ${it.jar}: it ${it.why}" }
        val libraries = found.libraries.map { "no driver in $it" }
        return (listOf(table) + notes + rejected + libraries).joinToString("\n")
    }

    private fun row(candidate: CandidateView, announced: AnnouncedView) = listOf(
        announced.name,
        announced.version,
        announced.supportedDevices.joinToString(",").ifEmpty { "-" },
        announced.entryType,
        candidate.jar,
    )

    fun upgraded(report: UpgradeView): String {
        val moved = if (report.devices == 1) "1 device" else "${report.devices} devices"
        val first = "${report.name} ${report.from ?: "?"} -> ${report.to ?: "?"}: $moved moved, " +
            "longest pause ${millis(report.longestPauseMicros)}, ${millis(report.totalMicros)} in all"
        return (listOf(first) + report.notes).joinToString("\n")
    }

    private fun latency(micros: Long) = if (micros < MILLI) "$micros us" else millis(micros)

    private fun millis(micros: Long) = String.format(Locale.ROOT, "%.1f ms", micros / 1000.0)

    private const val MILLI = 1_000
    private const val WIDTH = 120
    private const val GAP = 2
    private const val SERVES = 3
    private val OTHER_LINES = mapOf("not looked at: " to "Not seen", "kept out of use: " to "Kept")
}
