package dev.arraywright.kernel.config.apply

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.config.path
import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.lifecycle.UpgradeGroup
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.source.requirementsRun
import java.nio.file.Path

/** Has drivers that are configured with their jars loaded, and replaced; what fails is told to [failed]. */
internal class ConfiguredDrivers(
    private val manager: DriverManager,
    private val failed: (KernelError) -> Unit,
) {
    /** Loads those of [drivers] that are not loaded; others, of the drivers' directory perhaps, are left alone. */
    suspend fun load(drivers: Map<String, DriverConfiguration>): Unit =
        load(candidates(drivers.filterKeys { loaded(it) == null }))

    /** Loaded ones that [after] has from another jar, or of another class: not than [before] only, but than they are. */
    fun replaced(before: Map<String, DriverConfiguration>, after: Map<String, DriverConfiguration>): Set<String> =
        after.filter { (name, now) ->
            val then = before[name]
            val status = loaded(name)
            now.jar != null && (now.jar != then?.jar || now.type != then.type) && status?.isOf(now) == false
        }.keys

    /**
     * Loads and upgrades as [after] has it otherwise than [before]; what is to be noted. Settings count already. One that
     * could not be loaded, or has failed, is tried again once what is configured of it is otherwise.
     */
    suspend fun change(
        before: Map<String, DriverConfiguration>,
        after: Map<String, DriverConfiguration>,
    ): List<String> {
        val replaced = replaced(before, after)
        val wanted = after.filter { (name, now) -> now != before[name] && (name in replaced || idle(name)) }
        val (upgrades, loads) = candidates(wanted).partition { loaded(it.info.name)?.hasFailed == false }
        val upgraded = upgrades.map { it.info.name }
        val later = upgraded.toMutableSet()
        while (later.addAll(loads.filter { it.requiresOneOf(later) }.map { it.info.name })) continue
        load(loads.filter { it.info.name !in later })
        val infos = manager.drivers.value.filterValues { it.isLoaded }.mapNotNull { it.value.info }
        for (group in UpgradeGroup.parts(
            upgrades,
            infos.associateBy {
                it.name
            },
        )) {
            attempt { manager.upgradeFound(group) }
        }
        load(loads.filter { it.info.name in later })
        return before.filter { (name, then) ->
            then.jar != null && after[name]?.jar == null && loaded(name)?.isOf(then) == true
        }.keys.map { "the jar of the driver $it is not configured any more, and it stays: ${end(it)}" }
    }

    private fun end(name: String) = "arraywright driver unload $name ends it"

    private suspend fun load(candidates: List<DriverCandidate>) {
        if (candidates.isEmpty()) return
        manager.loadFound(candidates).failures.forEach { failed(it.error) }
    }

    private suspend fun candidates(drivers: Map<String, DriverConfiguration>): List<DriverCandidate> =
        drivers.mapNotNull { (name, driver) ->
            val jar = driver.jar ?: return@mapNotNull null
            attempt { manager.candidate(name, jar(name, jar), driver.type) }
        }

    private fun jar(name: String, text: String): Path =
        path(text, "drivers.$name.jar", "name a jar").normalize()

    /** It is as it was loaded, or failed; null if nobody has loaded it. */
    private fun loaded(name: String): DriverStatus? = manager.drivers.value[name]?.takeIf { it.isLoaded }

    /** Nothing but a load gets it going. */
    private fun idle(name: String): Boolean {
        val status = loaded(name) ?: return true
        return status.hasFailed && status.info?.let { requirementsRun(it, manager.drivers.value) } != false
    }

    private val DriverStatus.hasFailed: Boolean get() = state is DriverState.Failed

    private fun DriverStatus.isOf(driver: DriverConfiguration): Boolean {
        val own = jar?.toAbsolutePath()?.normalize() ?: return false
        return own == driver.jar?.let { jar(name, it) } && (driver.type == null || driver.type == info?.entryType)
    }

    private fun DriverCandidate.requiresOneOf(names: Set<String>): Boolean = info.requires.any { it.name in names }

    private suspend fun <T> attempt(action: suspend () -> T): T? = try {
        action()
    } catch (e: KernelError) {
        failed(e)
        null
    }
}
