package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.serve.DeviceUsers

/** Decides which drivers may be upgraded together; as [Admission], for one caller at a time. */
internal class UpgradeAdmission(
    private val roster: DriverRoster,
    private val admission: Admission,
    private val users: DeviceUsers,
) {
    /** A driver that may be upgraded, and is reserved for it until [done]. */
    class Admitted(val entry: DriverEntry, val from: DriverInfo, val change: Change)

    /** [wanted] and what has to come along, of the drivers' directory; see [UpgradeGroup.of]. */
    fun group(wanted: List<DriverCandidate>): List<DriverCandidate> =
        UpgradeGroup.of(wanted, roster.all.filter { it.serving }.associate { it.info.name to it.info }, roster.offers)

    /**
     * The [group] in the order of its requirements, if that may be done.
     *
     * @param offered those that were looked at long ago
     * @throws KernelError saying which driver stands in the way
     */
    fun admit(group: List<DriverCandidate>, offered: Set<DriverCandidate>): List<Admitted> {
        val entries = group.associate { it.info.name to admission.present(it.info.name, "upgrade") }
        val infos = group.associate { it.info.name to it.info }
        for ((name, entry) in entries) {
            if (entry.next != null)
                throw KernelError.InUse(
                    what(infos.getValue(name)),
                    "it is being upgraded",
                    "try again",
                )
        }
        val others = roster.all.filter { it.info.name !in entries }
        val after = roster.running() + roster.upcoming() + infos
        for (info in infos.values) {
            Dependencies.unmet(info, after)?.let {
                throw KernelError.DriverUnusable(what(info), it, "load or upgrade what it requires first")
            }
            requireNoneBroken(info, others.filter { it.serving })
        }
        requireApart(infos.values)
        val ordered = ordered(infos, others.filter { !it.leaving }.map { it.info })
        val settings = ordered.associateWith { info ->
            val entry = entries.getValue(info.name)
            requireOpenServed(info, entry)
            admission.requireFree(info, entry, what(info))
            admission.settings(info, entry)
        }
        return ordered.map { info ->
            val entry = entries.getValue(info.name)
            val to = group.first { it.info === info }
            entry.next = info
            Admitted(entry, entry.info, Change(entry.supervisor, to, settings.getValue(info), to in offered))
        }
    }

    /** They are what they are now. */
    fun done(group: List<Admitted>) {
        group.forEach { it.entry.next = null }
        for (one in group) if (!one.entry.leaving) admission.offer(one.entry)
    }

    private fun requireNoneBroken(info: DriverInfo, others: List<DriverEntry>) {
        val broken = Dependencies.brokenBy(info, others.flatMap { listOfNotNull(it.info, it.next) })
        if (broken.isEmpty()) return
        val why = broken.joinToString { other -> "$other requires " + other.requires.first { it.name == info.name } }
        throw KernelError.DriverUnusable(what(info), why, "upgrade both together, to versions that take each other")
    }

    /** Whoever comes second could not be offered once all are upgraded. */
    private fun requireApart(infos: Collection<DriverInfo>) {
        val owners = HashMap<String, DriverInfo>()
        for (info in infos) {
            for (scheme in info.schemes) {
                val first = owners.putIfAbsent(scheme, info) ?: continue
                if (first === info) continue
                val why = "$scheme: would be served by ${first.name}, too"
                throw KernelError.InUse(what(info), why, "upgrade one of them")
            }
        }
    }

    private fun ordered(infos: Map<String, DriverInfo>, others: List<DriverInfo>): List<DriverInfo> {
        val refused = mutableListOf<Pair<DriverInfo, KernelError>>()
        val ordered = Dependencies.order(others + infos.values, emptyMap()) { info, error -> refused += info to error }
        // What a driver requires is there: this can only be a circle.
        refused.firstOrNull { it.first in infos.values }?.let { (info, error) ->
            throw KernelError.DriverUnusable(what(info), error.why, "ask its author")
        }
        return ordered.filter { it in infos.values }
    }

    private fun requireOpenServed(info: DriverInfo, entry: DriverEntry) {
        val lost = entry.port.open.filter { it.address.scheme() !in info.schemes }
        if (lost.isEmpty()) return
        val why = "it does not serve what is open: " + lost.joinToString { users.shown(it.address) }
        throw KernelError.InUse(what(info), why, "remove these devices first")
    }

    private fun what(info: DriverInfo) = "cannot upgrade the driver ${info.name} to ${info.version}"

    /** Others have to take it into account: it runs, is about to, or has devices open. */
    private val DriverEntry.serving: Boolean get() = !leaving && (!failed || port.devices > 0)
}
