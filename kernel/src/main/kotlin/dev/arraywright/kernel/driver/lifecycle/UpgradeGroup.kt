package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.scan.DriverCandidate

/** Which drivers have to be upgraded together; pure. */
internal object UpgradeGroup {
    /**
     * [wanted] and, of [offers], what has to come along: newer versions of those [loaded] drivers that the wanted ones
     * would not do for, or that would not do for the wanted ones; the highest that fits of each. Where there is none,
     * it is left out, and the group is one that is refused.
     */
    fun of(
        wanted: List<DriverCandidate>,
        loaded: Map<String, DriverInfo>,
        offers: List<DriverCandidate>,
    ): List<DriverCandidate> {
        val group = wanted.associateByTo(LinkedHashMap()) { it.info.name }
        while (true) {
            val infos = group.mapValues { it.value.info }
            val more = discord(loaded + infos)
                .filter { (info, need) -> info.name in group || need in group }
                .flatMap { (info, need) -> listOf(info.name, need) }
                .filter { it in loaded && it !in group }
                .firstNotNullOfOrNull { name -> best(loaded.getValue(name), infos, offers) }
            group[(more ?: return group.values.toList()).info.name] = more
        }
    }

    /** [wanted] in parts that may be upgraded each by itself: what could not be without another is with that one. */
    fun parts(wanted: List<DriverCandidate>, loaded: Map<String, DriverInfo>): List<List<DriverCandidate>> {
        val parts = wanted.map { mutableListOf(it) }.toMutableList()

        fun partOf(name: String) = parts.first { part -> part.any { it.info.name == name } }
        for (one in wanted) {
            for (other in wanted) {
                val alone = loaded + (one.info.name to one.info)
                val apart = discord(alone).any { (info, need) ->
                    setOf(info.name, need) == setOf(one.info.name, other.info.name)
                }
                val (to, from) = partOf(one.info.name) to partOf(other.info.name)
                if (apart && to !== from) {
                    to += from
                    parts.removeIf { it === from }
                }
            }
        }
        return parts
    }

    /** Who requires another version of what than there is. */
    private fun discord(all: Map<String, DriverInfo>): List<Pair<DriverInfo, String>> = all.values.flatMap { info ->
        info.requires.filter { need -> all[need.name]?.let { it.version !in need.range } == true }
            .map { info to it.name }
    }

    private fun best(
        now: DriverInfo,
        group: Map<String, DriverInfo>,
        offers: List<DriverCandidate>,
    ): DriverCandidate? = offers
        .filter { it.info.name == now.name && it.info.version > now.version }
        .filter { offer ->
            discord(group + (now.name to offer.info)).none { (info, need) -> now.name == info.name || now.name == need }
        }
        .maxByOrNull { it.info.version }
}
