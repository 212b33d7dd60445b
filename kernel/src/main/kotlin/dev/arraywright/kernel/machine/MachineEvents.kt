package dev.arraywright.kernel.machine

import dev.arraywright.hardware.health.HealthEvent
import dev.arraywright.hardware.memory.balloon.PressureRound
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.HardwareHealthRecovered
import dev.arraywright.kernel.event.HardwareHealthWarning
import dev.arraywright.kernel.event.MemoryPressureChanged
import dev.arraywright.kernel.event.MemoryReleased
import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.spi.memory.MemoryPressure
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.distinctUntilChangedBy
import kotlinx.coroutines.flow.dropWhile
import kotlinx.coroutines.launch

/** Tells on the event stream what happens to disks' health and to memory, until cancelled. */
internal class MachineEvents(private val machine: Machine, private val events: EventStream) {
    suspend fun tell(): Unit = coroutineScope {
        launch { machine.health.events.collect { event -> occurrence(event)?.let(events::emit) } }
        launch {
            machine.memory.pressure.dropWhile { it.level() == MemoryPressure.Level.NONE }
                .distinctUntilChangedBy { it.level() }
                .collect { events.emit(occurrence(it)) }
        }
        launch {
            // Rounds in which nobody had anything are no news: the pressure is told already.
            machine.balloon.rounds.collect { if (it.released > 0) events.emit(occurrence(it)) }
        }
    }

    private fun occurrence(event: HealthEvent): Occurrence? = when (event) {
        is HealthEvent.Raised -> HardwareHealthWarning(name(event.id), event.id, event.finding.text)
        is HealthEvent.Worsened -> HardwareHealthWarning(name(event.id), event.id, event.finding.text)
        is HealthEvent.Recovered -> if (event.healthy) HardwareHealthRecovered(name(event.id), event.id) else null
        is HealthEvent.Eased, is HealthEvent.Forgotten -> null
    }

    private fun occurrence(pressure: MemoryPressure) =
        MemoryPressureChanged(pressure.level().name.lowercase(), pressure.bytesToRelease(), pressure.source())

    private fun occurrence(round: PressureRound) = MemoryReleased(
        round.asked,
        round.releases.groupingBy { it.name }.fold(0L) { sum, release -> sum + release.released },
        round.confirmed ?: 0,
        round.pressure.source().ifEmpty { null },
    )

    private fun name(id: String): String =
        machine.health.reports.value[id]?.target?.path ?: machine.devices.value.values
            .firstOrNull { it.id.toString() == id }?.path ?: id
}
