package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.HealthProbe
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import dev.arraywright.hardware.tree.SystemTree
import kotlin.time.Clock
import kotlin.time.Duration

/** What arrays see of a device: [latency] is what calls typically take, null while there are none. Returns at once. */
internal class ArrayLatencyProbe(
    private val clock: Clock,
    private val latency: (HealthTarget) -> Duration?,
) : HealthProbe {
    override val source: HealthSource = HealthSource.ARRAY

    override suspend fun read(target: HealthTarget): ProbeAnswer {
        val typical = latency(target) ?: return ProbeAnswer.Absent("no array uses the device")
        return ProbeAnswer.Read(HealthReading(clock.now(), setOf(source), latency = typical))
    }
}

/**
 * All that this machine has to tell of its devices' health, in order of preference.
 *
 * @param latency what calls of arrays typically take with a device
 */
public fun systemHealthProbes(
    clock: Clock,
    latency: (HealthTarget) -> Duration? = { null },
): List<HealthProbe> = systemHealthProbes(clock, SystemTree.SYS, latency)

internal fun systemHealthProbes(
    clock: Clock,
    sys: SystemTree,
    latency: (HealthTarget) -> Duration?,
): List<HealthProbe> = listOf(
    NvmeHealthProbe(clock),
    SmartctlProbe(clock),
    KernelCounterProbe(sys, clock),
    ArrayLatencyProbe(clock, latency),
)
