package dev.arraywright.admin.console

import dev.arraywright.admin.control.machine.HealthView
import dev.arraywright.admin.control.machine.ReadingView
import kotlin.time.Duration.Companion.seconds

/** A disk's health as it is printed. */
internal object HealthText {
    fun fields(health: HealthView): List<Pair<String, String?>> {
        val verdict = listOf(health.verdict, health.detail).filter { it.isNotEmpty() }.joinToString(": ")
        return listOf(
            "Health" to verdict,
            "Checked" to health.checked?.let { if (health.stale) "$it; what follows is older" else it },
        ) +
            health.findings.map { "Against it" to "${it.text} (${it.severity}, since ${it.since})" } +
            health.reading?.let(::reading).orEmpty() +
            listOf("Life left" to health.life?.let { "${it.leftSeconds.seconds} by ${it.basis}, ${it.perDay} a day" }) +
            health.failed.map { (source, why) -> "No answer" to "$source: $why" } +
            health.absent.map { (source, why) -> "Not told" to "$source: $why" } +
            listOf("History" to health.historyProblem)
    }

    private fun reading(reading: ReadingView): List<Pair<String, String?>> = listOf(
        "Warns of" to reading.criticalWarning?.joinToString()?.ifEmpty { null },
        "Temperature" to reading.temperature?.let { "$it C" + limits(reading) },
        "Spare" to reading.availableSpare?.let { "$it %" + reading.spareThreshold?.let { t -> ", warns at $t %" }.orEmpty() },
        "Life used" to reading.percentageUsed?.let { "$it %" },
        "Self-test" to reading.passed?.let { if (it) "passed" else "failed" },
        "Media errors" to reading.mediaErrors?.toString(),
        "Sectors" to sectors(reading),
        "I/O errors" to reading.ioErrors?.let { "$it" + reading.ioTimeouts?.let { t -> ", $t timeouts" }.orEmpty() },
        "State" to reading.state,
        "Powered on" to reading.powerOnHours?.let {
            "$it h" + reading.unsafeShutdowns?.let { n -> ", $n unsafe shutdowns" }.orEmpty()
        },
        "Traffic" to traffic(reading),
        "Latency" to reading.latencyMicros?.let { "$it us" },
        "Told by" to reading.sources.joinToString(),
    )

    private fun limits(reading: ReadingView): String = listOfNotNull(
        reading.warningTemperature?.let { "warns at $it C" },
        reading.criticalTemperature?.let { "must not reach $it C" },
    ).joinToString("") { ", $it" }

    private fun sectors(reading: ReadingView): String? = listOfNotNull(
        reading.reallocatedSectors?.let { "$it reallocated" },
        reading.pendingSectors?.let { "$it pending" },
        reading.uncorrectableSectors?.let { "$it lost" },
    ).joinToString().ifEmpty { null }

    private fun traffic(reading: ReadingView): String? = listOfNotNull(
        reading.bytesRead?.let { "${DetailText.rounded(it)} read" },
        reading.bytesWritten?.let { "${DetailText.rounded(it)} written" },
    ).joinToString().ifEmpty { null }
}
