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
    fun table(all: DriversView): String {
        val statistics = all.statistics
        val notes = listOfNotNull(
            "${statistics.leaked} unloaded and yet in memory".takeIf { statistics.leaked > 0 },
            "${statistics.stranded} that hang while they are loaded".takeIf { statistics.stranded > 0 },
        )
        if (all.drivers.isEmpty()) return (listOf("no driver is loaded") + notes).joinToString("\n")
        val heading = listOf("Driver", "Version", "State", "Serves", "Devices", "Calls", "Errors", "Since")
        val rows = all.drivers.map {
            listOf(
                it.name,
                it.announced?.version ?: "-",
                state(it),
                it.announced?.supportedDevices?.joinToString(",").orEmpty().ifEmpty { "-" },
                "${it.devices.size}",
                "${it.figures.calls}",
                "${it.figures.errors}",
                it.since,
            )
        }
        return (listOf(Table.of(heading, rows)) + notes).joinToString("\n")
    }

    /** All that is known of a driver. */
    fun detail(driver: DriverView): String {
        val announced = driver.announced
        val (why, holders) = driver.detail?.lines().orEmpty().let { it.firstOrNull() to it.drop(1) }
        val fields = listOf(
            "State" to state(driver) + " since ${driver.since}",
            "Why" to why,
        ) + holders.map { "Held by" to it.trim() } + listOf(
            "Jar" to driver.jar,
        ) + announced?.let(::fields).orEmpty() + announced?.settings.orEmpty().map { setting(it, driver.settings) } +
            undeclared(driver) + figures(driver) +
            driver.devices.map { "Open" to it } + driver.notes.map { "Note" to it }
        return listOfNotNull(driver.name, announced?.version).joinToString(" ") + ":\n" + Fields.of(fields)
    }

    private fun state(driver: DriverView) = driver.state + if (driver.quarantined) ", quarantined" else ""

    private fun fields(announced: AnnouncedView): List<Pair<String, String?>> = listOf(
        "Description" to announced.description,
        "Class" to announced.entryType,
        "Serves" to announced.supportedDevices.joinToString(),
        "Platform" to "${announced.minimumPlatform} or later",
        "Loaded" to if (announced.autoLoad) "as soon as its jar is found" else "when it is asked for",
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
        val load = driver.loadMillis ?: return emptyList()
        val calls = driver.figures
        return listOf(
            "Health" to listOf(driver.health, driver.healthDetail).filter { it.isNotEmpty() }.joinToString(": "),
            "Load" to "$load ms, ${driver.classes} classes (${rounded(driver.classBytes)})",
            "Calls" to "${calls.calls} on ${calls.opens} opened devices, ${calls.errors} errors",
            "Latency" to "${millis(calls.meanMicros)} on average, ${millis(calls.maxMicros)} at most"
                .takeIf { calls.calls > 0 },
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

    private fun millis(micros: Long) = String.format(Locale.ROOT, "%.1f ms", micros / 1000.0)
}
