package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement

/** Which drivers need which; pure. Refusals name the driver, what it needs, and what is there instead. */
internal object Dependencies {
    /**
     * [wanted] in an order in which each comes after those of them that it needs, else as given.
     *
     * @param present drivers that are there already, by name
     * @param refused is told of each that cannot be loaded, and why; what needs such a one is refused, too
     */
    fun order(
        wanted: List<DriverInfo>,
        present: Map<String, DriverInfo>,
        refused: (DriverInfo, KernelError) -> Unit,
    ): List<DriverInfo> {
        val byName = wanted.associateBy { it.name }
        val ordered = LinkedHashMap<String, DriverInfo>()
        val bad = mutableSetOf<String>()
        val path = mutableListOf<String>()

        fun visit(info: DriverInfo): Boolean {
            if (info.name in ordered) return true
            if (info.name in bad) return false
            val error = cycle(path, info.name)?.let { cyclic(info, it) }
                ?: info.requires.firstNotNullOfOrNull { problem(info, it, byName[it.name] ?: present[it.name]) }
            if (error != null) {
                refused(info, error)
                bad += info.name
                return false
            }
            path += info.name
            val missing = info.requires.firstOrNull { need -> byName[need.name]?.let { !visit(it) } == true }
            path -= info.name
            if (missing == null) {
                ordered[info.name] = info
            } else if (bad.add(info.name)) {
                val why = "it requires $missing, which cannot be loaded"
                refused(
                    info,
                    KernelError.DriverUnusable("cannot load the driver $info", why, "see what is wrong there"),
                )
            }
            return missing == null
        }
        wanted.forEach(::visit)
        return ordered.values.toList()
    }

    /** @throws KernelError.DriverUnusable unless all that [info] requires is among the [running] */
    fun require(info: DriverInfo, running: Map<String, DriverInfo>) {
        info.requires.firstNotNullOfOrNull { problem(info, it, running[it.name]) }?.let { throw it }
    }

    /** Those of [others] that need the driver [name]. */
    fun neededBy(name: String, others: Collection<DriverInfo>): List<DriverInfo> =
        others.filter { other -> other.name != name && other.requires.any { it.name == name } }

    /** Those of [others] that the new version [info] would not do for. */
    fun brokenBy(info: DriverInfo, others: Collection<DriverInfo>): List<DriverInfo> =
        neededBy(info.name, others).filter { other ->
            other.requires.any { it.name == info.name && info.version !in it.range }
        }

    /** What [info] requires and is not in [there] as it has to be, in words; null if all is. */
    fun unmet(info: DriverInfo, there: Map<String, DriverInfo>): String? =
        info.requires.firstNotNullOfOrNull { lack(it, there[it.name]) }

    /** All of [others] that need the driver [name], or need one that does, and so on. */
    fun above(name: String, others: Collection<DriverInfo>): Set<String> {
        val found = LinkedHashSet<String>()
        val open = ArrayDeque(listOf(name))
        while (open.isNotEmpty()) {
            neededBy(open.removeFirst(), others).forEach {
                if (found.add(it.name)) open += it.name
            }
        }
        return found - name
    }

    private fun lack(need: DriverRequirement, found: DriverInfo?): String? = when {
        found == null -> "it requires $need, and no driver ${need.name} is there"
        found.version !in need.range -> "it requires $need, and ${need.name} is ${found.version}"
        else -> null
    }

    private fun problem(info: DriverInfo, need: DriverRequirement, found: DriverInfo?): KernelError? {
        val why = lack(need, found) ?: return null
        val remedy = if (found == null) "load ${need.name} first" else "load a ${need.name} of ${need.range}"
        return KernelError.DriverUnusable("cannot load the driver $info", why, remedy)
    }

    private fun cycle(path: List<String>, name: String): List<String>? =
        path.indexOf(name).takeIf { it >= 0 }?.let { path.drop(it) + name }

    private fun cyclic(info: DriverInfo, cycle: List<String>) = KernelError.DriverUnusable(
        "cannot load the driver $info",
        "drivers require each other: " + cycle.joinToString(" -> "),
        "ask their authors: one of them has to come first",
    )
}
