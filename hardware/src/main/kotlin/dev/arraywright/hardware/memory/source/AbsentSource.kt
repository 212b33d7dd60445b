package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.memory.pressure.Demand
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.memory.pressure.PressureSourceStatus

/** A source that this machine does not have, for a reason. */
internal class AbsentSource(override val name: String, private val why: String) : PressureSource {
    override fun open(wake: () -> Unit): PressureSourceStatus = PressureSourceStatus(name, false, why)

    override fun look(moment: Moment): Demand = Demand.none(name)

    override fun close() = Unit
}
