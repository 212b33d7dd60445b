package dev.arraywright.kernel.driver

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.lifecycle.DriverHouse
import dev.arraywright.kernel.driver.lifecycle.DriverRoster
import dev.arraywright.kernel.driver.lifecycle.Replacement
import dev.arraywright.kernel.driver.lifecycle.UpgradeAdmission
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.upgrade.DriverUpgrade
import dev.arraywright.kernel.driver.upgrade.GroupUpgradeReport
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.DriverUpgraded
import dev.arraywright.kernel.event.EventStream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.nio.file.Path

/** Upgrades drivers, those together that do not do for each other otherwise; see [DriverManager.upgrade]. */
internal class Upgrades(
    private val scope: CoroutineScope,
    private val house: DriverHouse,
    private val roster: DriverRoster,
    private val admission: UpgradeAdmission,
    private val choice: JarChoice,
    private val events: EventStream,
    private val changing: Mutex,
) {
    suspend fun one(name: String, jar: Path, type: String?): UpgradeReport {
        val report = together(listOf(choice.candidate(jar, type, name)))
        val others = report.upgrades.filter { it.name != name }
        val own = report.upgrades.first { it.name == name }.report
        return own.copy(notes = own.notes + others.map { "$it along with it" })
    }

    suspend fun all(jars: List<Path>): GroupUpgradeReport {
        val what = "cannot upgrade drivers together"
        val wanted = jars.flatMap { jar ->
            val candidates = choice.candidates(jar)
            candidates.filter { roster[it.info.name]?.leaving == false }.ifEmpty {
                val has = candidates.joinToString { it.info.name }.ifEmpty { "none" }
                throw KernelError.NotFound(what, "$jar has no driver that is loaded; it has $has", "load it instead")
            }
        }
        val twice = wanted.groupBy { it.info.name }.values.firstOrNull { it.size > 1 }
        if (twice != null) {
            val why = "the driver ${twice[0].info.name} is in both ${twice[0].jar} and ${twice[1].jar}"
            throw KernelError.InvalidRequest(what, why, "name one of them")
        }
        return together(wanted)
    }

    /** Upgrades [wanted], and what has to come along. */
    suspend fun together(wanted: List<DriverCandidate>): GroupUpgradeReport = scope.seenThrough {
        try {
            upgrade(wanted)
        } catch (e: KernelError) {
            // Here, since nobody may wait for it any more.
            wanted.forEach { events.emit(DriverLoadFailed(it.jar.toString(), e.why, it.info.name)) }
            throw e
        }
    }

    private suspend fun upgrade(wanted: List<DriverCandidate>): GroupUpgradeReport {
        val group = changing.withLock {
            val all = admission.group(wanted)
            admission.admit(all, all.toSet() - wanted.toSet())
        }
        val reports = try {
            Replacement(house, group.map { it.change }).run()
        } finally {
            changing.withLock { admission.done(group) }
            house.changed()
        }
        val upgrades = group.zip(reports) { one, report ->
            DriverUpgrade(one.change.to.info.name, one.from.version, one.change.to.info.version, report)
        }
        for (one in upgrades) {
            val pause = one.report.longestPause.inWholeMicroseconds
            events.emit(DriverUpgraded(one.name, "${one.from}", "${one.to}", one.report.devices, pause))
        }
        return GroupUpgradeReport(upgrades)
    }
}
