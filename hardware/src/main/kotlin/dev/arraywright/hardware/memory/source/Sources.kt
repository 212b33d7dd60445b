package dev.arraywright.hardware.memory.source

import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.linux.Triggers
import dev.arraywright.hardware.memory.figures.MemoryCgroup
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.pressure.PressureSource
import dev.arraywright.hardware.tree.SystemTree

/** All that a machine may tell of memory pressure. */
internal object Sources {
    /** @param poller null where nothing can be watched, for [noPoller] */
    fun of(
        sys: SystemTree,
        proc: SystemTree,
        options: MemoryOptions,
        poller: Poller?,
        noPoller: String? = null,
    ): List<PressureSource> {
        val first = MemoryCgroup.lineage(1, proc, sys)
        val second = MemoryCgroup.lineage(2, proc, sys)
        val own = second.own
        val ownStalls = if (own == null || second.isRoot) {
            val why = second.absence ?: "the process is in the topmost cgroup v2, where it is the same as psi"
            AbsentSource("cgroup-psi", why)
        } else {
            PsiSource("cgroup-psi", sys, "${own.path}/memory.pressure", false, options, poller, noPoller)
        }
        return listOf(
            PsiSource("psi", proc, "pressure/memory", true, options, poller, noPoller),
            ownStalls,
            CgroupSource(listOf(second, first), options, poller),
            CgroupLevelSource(first, poller, noPoller),
            AvailableSource(proc, options),
            BalloonSource(sys, proc, options) { Triggers.pageSize },
        )
    }
}
