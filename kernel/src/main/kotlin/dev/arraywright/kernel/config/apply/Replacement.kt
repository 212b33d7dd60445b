package dev.arraywright.kernel.config.apply

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.ArrayConfiguration
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.Reconfiguration
import dev.arraywright.spi.device.StorageAddress
import java.util.UUID

/**
 * Has [after] take the place of [before], once. Only what is otherwise in it is touched: an array that an operator has
 * stopped stays so, and one that is not configured any more runs on, as does a driver, for no edit of a file takes data
 * away from clients.
 */
internal class Replacement(
    private val subject: Subject,
    private val before: Configuration,
    private val after: Configuration,
) {
    private val failures = mutableListOf<KernelError>()
    private val notes = mutableListOf<String>()
    private val bringUp = BringUp(subject.registry, subject.members, failures::add)
    private val drivers = ConfiguredDrivers(subject.drivers, failures::add)
    private val started = mutableSetOf<String>()
    private val known = before.arrays.associateBy { it.name }
    private val running get() = subject.registry.arrays.value

    /** @throws KernelError.BadConfiguration if [after] cannot count at all; nothing is changed then */
    suspend fun run(): Reconfiguration {
        check()
        if (after.health != before.health) subject.thresholds?.policy?.value = after.health.toPolicy()
        if (after.policy != before.policy) attempt { subject.protection.setPolicy(after.policy.toPolicy()) }
        if (after.drivers != before.drivers || after.maxLoadedDrivers != before.maxLoadedDrivers) {
            val replaced = drivers.replaced(before.drivers, after.drivers)
            failures += subject.drivers.configure(after.drivers, after.maxLoadedDrivers, before.drivers, replaced)
            notes += drivers.change(before.drivers, after.drivers)
        }
        noteLater()
        for (array in after.arrays) endExport(array)
        letGoOfSpares()
        for (array in after.arrays) letGo(array)
        arrays()
        for (array in after.arrays) startExport(array)
        awaitSpares()
        return Reconfiguration(failures, notes)
    }

    private suspend fun check() {
        after.check()
        val replaced = drivers.replaced(before.drivers, after.drivers)
        val refusal = subject.drivers.refusal(after.drivers, before.drivers, replaced) ?: return
        throw KernelError.BadConfiguration(
            "cannot use the configuration",
            "${refusal.what}: ${refusal.why}",
            refusal.remedy,
        )
    }

    /** What is read when a kernel is started. */
    private fun noteLater() {
        val later = listOf(
            "nbd" to (after.nbd != before.nbd && subject.nbd.running),
            "http" to (after.http != before.http),
            "memory" to (after.memory != before.memory),
            "memberDeadline" to (after.memberDeadline != before.memberDeadline),
            "watch" to (after.watch != before.watch),
            "driverDirectory" to (after.driverDirectory != before.driverDirectory),
            "sharedPackages" to (after.sharedPackages != before.sharedPackages),
        ).filter { it.second }.map { it.first }
        if (later.isNotEmpty()) notes += "${later.joinToString()}: what is new counts from the next start on"
    }

    private suspend fun arrays() {
        // A look at every spare, which takes its time where one does not answer: only if it is needed.
        var owners: Map<StorageAddress, UUID>? = null
        for (array in after.arrays) {
            val handle = running[array.name]
            val old = known[array.name]
            if (handle != null) {
                if (old != null && old != array) change(handle, old, array)
            } else if (old == null || runs(old) != runs(array)) {
                val found = owners ?: bringUp.owners(after.spares).also { owners = it }
                if (attempt { bringUp.run(array, found) }) started += array.name
            }
        }
        for (gone in known.keys - after.arrays.map { it.name }.toSet()) {
            if (gone !in running) continue
            notes += "$gone is not configured any more, and runs on: arraywright stop $gone ends it"
        }
    }

    /** What an array is assembled or made by. */
    private fun runs(array: ArrayConfiguration) = array.copy(export = null)

    /** Before any array takes one in, as it may come from another. */
    private suspend fun letGo(new: ArrayConfiguration) {
        val old = known[new.name]?.takeIf { it != new } ?: return
        val present = present(running[new.name] ?: return)
        val listed = devices(new)
        for (gone in (old.members + old.spares).filter { canonical(it) !in listed }) {
            val member = present[canonical(gone)] ?: continue
            if (member.slot == null && member.state == "spare") {
                attempt { subject.protection.removeSpare(gone) }
            } else if (member.state != "replaced" && member.state != "faulty") {
                notes += "$gone is a member of ${new.name} still: arraywright fail and remove take it out"
            }
        }
    }

    private suspend fun change(handle: ArrayHandle, old: ArrayConfiguration, new: ArrayConfiguration) {
        val known = devices(old) + present(handle).keys
        for (member in new.members.filter { canonical(it) !in known }) attempt { handle.add(member) }
        for (spare in new.spares.filter { canonical(it) !in known }) {
            attempt { subject.protection.addSpare(spare, new.name, new.domains[spare]) }
        }
        noteMaking(old, new)
    }

    private fun present(handle: ArrayHandle) =
        handle.status.value.members.filter { it.address != null }.associateBy { it.address }

    private fun devices(array: ArrayConfiguration) = (array.members + array.spares).map(::canonical).toSet()

    private fun noteMaking(old: ArrayConfiguration, new: ArrayConfiguration) {
        val (before, now) = listOf(old, new).map { it.domains.mapKeys { (address, _) -> canonical(address) } }
        val domains = devices(old).intersect(devices(new)).any { before[it] != now[it] }
        val later = listOf(
            "domains" to domains,
            "level" to (new.level != old.level),
            "chunk" to (new.chunk != old.chunk),
            "bitmap" to (new.bitmap != old.bitmap),
        ).filter { it.second }.map { it.first }
        if (later.isNotEmpty()) {
            notes += "${new.name}: ${later.joinToString()}: what is new counts when it is made or assembled again"
        }
    }

    /** Ended before any is started, so that arrays may swap the names of their exports. */
    private suspend fun endExport(array: ArrayConfiguration) {
        val old = known[array.name]?.export ?: return
        if (old == array.export || !exported(array.name, old)) return
        attempt { subject.nbd.unexport(old.name) }
    }

    private suspend fun startExport(array: ArrayConfiguration) {
        val export = array.export ?: return
        if (array.name !in running || exported(array.name, export)) return
        // One that an operator has ended stays so.
        if (export == known[array.name]?.export && array.name !in started) return
        if (!subject.nbd.running && !attempt { subject.nbd.listen(after.nbd) }) return
        attempt { subject.nbd.export(subject.registry.named(array.name), export) }
    }

    private fun exported(array: String, export: ExportConfiguration) =
        subject.nbd.entries.value[export.name]?.array == array

    private suspend fun letGoOfSpares() {
        val wanted = after.spares.map { canonical(it.address) }.toSet()
        val pooled = subject.protection.pooled().map { it.toString() }.toSet()
        for (gone in before.spares.map { canonical(it.address) }.filter { it !in wanted && it in pooled }) {
            attempt { subject.protection.removeSpare(gone) }
        }
    }

    private suspend fun awaitSpares() {
        val old = before.spares.associateBy { canonical(it.address) }
        for (spare in after.spares) {
            val address = canonical(spare.address)
            val same = old[address]
            if (same != null) {
                if (same.domain != spare.domain) {
                    notes += "spares: the domain of ${spare.address} counts once it is removed and added again"
                }
                continue
            }
            if (address in subject.members.entries.value) continue
            attempt { subject.protection.awaitSpare(spare.address, spare.domain) }
        }
    }

    private fun canonical(text: String) = bringUp.address(text)?.toString() ?: text

    private suspend fun attempt(action: suspend () -> Unit): Boolean = attempted(failures, action)
}
