package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.memory.pressure.Demand
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.pressure.Moment
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.memory.pressure.PressureSourceStatus
import dev.arraywright.hardware.tree.SystemTree

/** MemAvailable against a reserve. The kernel wakes nobody for it, so one file is read at each look. */
internal class AvailableSource(private val proc: SystemTree, private val options: MemoryOptions) : PressureSource {
    override val name: String get() = NAME

    override fun open(wake: () -> Unit): PressureSourceStatus {
        val meminfo = Moment.meminfo(proc)
            ?: return PressureSourceStatus(
                NAME,
                false,
                proc.why("meminfo") ?: "meminfo does not tell what is available",
            )
        val reserve = options.machineReserve(meminfo.total)
        return PressureSourceStatus(NAME, true, "${meminfo.available} bytes, of which $reserve are a reserve")
    }

    override fun look(moment: Moment): Demand {
        val meminfo = moment.meminfo ?: return Demand.none(NAME)
        return Demand.ofShortfall(NAME, meminfo.available, options.machineReserve(meminfo.total), options.band)
    }

    override fun close() = Unit

    private companion object {
        const val NAME = "available"
    }
}
