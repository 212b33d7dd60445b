package dev.arraywright.hardware.health.watch

import dev.arraywright.hardware.health.CriticalWarning
import dev.arraywright.hardware.health.HealthConcern
import dev.arraywright.hardware.health.HealthEvent
import dev.arraywright.hardware.health.HealthFinding
import dev.arraywright.hardware.health.HealthReport

/** What happened between two states of the reports. Pure. */
internal object EventDiff {
    fun between(before: Map<String, HealthReport>, after: Map<String, HealthReport>): List<HealthEvent> = buildList {
        for ((id, report) in before) {
            if (id !in after && report.findings.isNotEmpty()) add(HealthEvent.Forgotten(id))
        }
        for ((id, report) in after) {
            val known = before[id]
            if (known !== report) device(known?.findings.orEmpty(), report, id)
        }
    }

    private fun MutableList<HealthEvent>.device(known: List<HealthFinding>, report: HealthReport, id: String) {
        val old = known.associateBy { it.concern }
        val new = report.findings.associateBy { it.concern }
        val over = known.filter { it.since != new[it.concern]?.since }
        over.forEachIndexed { i, finding ->
            add(HealthEvent.Recovered(id, finding, healthy = new.isEmpty() && i == over.lastIndex))
        }
        for (finding in report.findings) {
            val was = old[finding.concern]
            when {
                was == null || was.since != finding.since -> add(raised(id, finding, report))
                was.severity < finding.severity -> add(HealthEvent.Worsened(id, finding))
                was.severity > finding.severity -> add(HealthEvent.Eased(id, finding))
            }
        }
    }

    private fun raised(id: String, finding: HealthFinding, report: HealthReport): HealthEvent {
        val warning = CriticalWarning.entries.firstOrNull { it.concern == finding.concern }
        val celsius = report.reading?.temperature
        val life = report.life
        return when {
            warning != null -> HealthEvent.CriticallyWarned(id, finding, warning)
            finding.concern == HealthConcern.TEMPERATURE && celsius != null ->
                HealthEvent.TemperatureHigh(id, finding, celsius)
            finding.concern == HealthConcern.LIFE && life != null -> HealthEvent.LifeLow(id, finding, life)
            finding.concern == HealthConcern.UNREADABLE -> HealthEvent.ReadFailed(id, finding)
            else -> HealthEvent.Warned(id, finding)
        }
    }
}
