package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlin.time.ComparableTimeMark

/**
 * What a driver is to be.
 *
 * @property again the jar was looked at long ago, and may be another by now
 */
internal class Change(
    val driver: DriverSupervisor,
    val to: DriverCandidate,
    val settings: Map<String, String>,
    val again: Boolean = false,
)

/**
 * Replaces running drivers by other instances, under their open devices: all, or none of them.
 *
 * ```
 * old serves    the new instances are loaded, initialised and started, in order
 * the switch    the devices of all drivers are handed over at once
 * new serves    the old instances are stopped and closed, in reverse order
 * ```
 *
 * Whatever fails before the switch ends the new instances, in reverse order, and the old ones have never stopped. A
 * driver that is none of them and requires one of them has what it requires at every moment, and is left alone.
 *
 * @param changes each after those whose drivers it requires; a driver has one at most
 */
internal class Replacement(private val house: DriverHouse, private val changes: List<Change>) {
    private class Fresh(val change: Change, val began: ComparableTimeMark, val instance: DriverInstance)

    private val steps = LifeSteps(house)

    /** Does it while no driver does anything else: each is held from here to the end, those that are needed first. */
    suspend fun run(): List<UpgradeReport> = holding(changes)

    private suspend fun holding(rest: List<Change>): List<UpgradeReport> =
        if (rest.isEmpty()) replace() else rest.first().driver.hold { holding(rest.drop(1)) }

    /** Does it for whoever holds the drivers already. */
    suspend fun replace(): List<UpgradeReport> {
        val fresh = mutableListOf<Fresh>()
        var switched = false
        val reports = try {
            for (change in changes) {
                val began = house.time.markNow()
                fresh += Fresh(change, began, steps.bringUp(change.to, change.settings, change.again))
            }
            house.handOver(fresh.map { it.change.driver.turn(it.instance, it.change.to.info) }) { switched = true }
        } finally {
            if (!switched) {
                withContext(NonCancellable) {
                    fresh.asReversed().forEach { steps.discard(it.instance, it.change.to.info) }
                }
            }
        }
        // All are the new ones before one of the old ones is ended, which may take long.
        val old = fresh.map { it.change.driver.become(it.change, it.instance, it.began) }
        house.changed()
        val troubles = old.asReversed().map { last -> last?.let { steps.discard(it.instance, it.info) }.orEmpty() }
        return reports.zip(troubles.asReversed()) { report, notes -> report.copy(notes = report.notes + notes) }
    }
}
