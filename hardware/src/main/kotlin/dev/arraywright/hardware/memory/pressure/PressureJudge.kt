package dev.arraywright.hardware.memory.pressure

import dev.arraywright.spi.memory.MemoryPressure
import dev.arraywright.spi.memory.MemoryPressure.Level
import kotlin.time.Duration

/**
 * From what the sources demand over time to the pressure that is told: pure, no clock, no state but what it returns.
 *
 * Each level above NONE has a gate, and the level told is the highest with an open gate:
 *
 * | gate | any demand's level reaches it | else, any demand's floor does | neither |
 * | --- | --- | --- | --- |
 * | shut | opens once that lasted for [debounce] | stays shut | stays shut |
 * | open | stays open | stays open | shuts once that lasted for [hold] |
 *
 * So a blip opens nothing, and a demand that wavers within its band moves nothing. Less memory never makes a level
 * lower: gates depend on demands monotonically. Demands overlap (what is given back helps every source), so the bytes
 * are the largest demand's, not the sum; while a level is only held they are 0.
 */
internal class PressureJudge(private val debounce: Duration, private val hold: Duration) {
    fun judge(before: Judgement, demands: List<Demand>, now: Duration): Judgement {
        val gates = before.gates.mapIndexed { i, gate -> gate.step(LEVELS[i], demands, now) }
        val level = LEVELS.zip(gates).lastOrNull { it.second.isOpen }?.first ?: Level.NONE
        val recheck = gates.mapNotNull { it.due }.minOrNull()?.let { (it - now).coerceAtLeast(Duration.ZERO) }
        return Judgement(pressure(level, before.pressure.source(), demands), gates, recheck)
    }

    private fun pressure(level: Level, source: String, demands: List<Demand>): MemoryPressure {
        if (level == Level.NONE) return MemoryPressure.NONE
        val active = demands.filter { it.level > Level.NONE }
        val worst = active.maxWithOrNull(compareBy({ it.level }, { it.bytes }))
        return MemoryPressure(level, active.maxOfOrNull { it.bytes } ?: 0, worst?.source ?: source)
    }

    private fun Gate.step(level: Level, demands: List<Demand>, now: Duration): Gate {
        val moves = if (isOpen) demands.none { it.floor >= level } else demands.any { it.level >= level }
        if (!moves) return Gate(isOpen, null)
        val at = due ?: (now + if (isOpen) hold else debounce)
        return if (now >= at) Gate(!isOpen, null) else Gate(isOpen, at)
    }

    private companion object {
        val LEVELS = Level.entries - Level.NONE
    }
}

/** One level's gate; [due] is when it will have moved if nothing changes until then. */
internal data class Gate(val isOpen: Boolean, val due: Duration?)

/** What is told, and what the next judgement goes by; [recheck] is the time after which to look again at the latest. */
internal data class Judgement(val pressure: MemoryPressure, val gates: List<Gate>, val recheck: Duration?) {
    companion object {
        val NONE: Judgement = Judgement(MemoryPressure.NONE, List(Level.entries.size - 1) { Gate(false, null) }, null)
    }
}
