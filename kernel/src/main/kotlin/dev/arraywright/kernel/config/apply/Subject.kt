package dev.arraywright.kernel.config.apply

import dev.arraywright.hardware.health.HealthThresholds
import dev.arraywright.kernel.ArrayRegistry
import dev.arraywright.kernel.Exports
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.spare.Protection

/** The parts of a kernel that a configuration is about; [thresholds] only where it watches the machine. */
internal class Subject(
    val registry: ArrayRegistry,
    val protection: Protection,
    val nbd: Exports,
    val members: Members,
    val thresholds: HealthThresholds?,
    val drivers: DriverManager,
)

/** Whether [action] went well; what it failed with is added to [failures]. */
internal suspend fun attempted(failures: MutableList<KernelError>, action: suspend () -> Unit): Boolean =
    try {
        action()
        true
    } catch (e: KernelError) {
        failures += e
        false
    }
