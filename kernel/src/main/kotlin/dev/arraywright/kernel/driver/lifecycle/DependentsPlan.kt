package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement

/** Which drivers are to rest for want of what they require, and which may resume; pure. */
internal object DependentsPlan {
    /**
     * How a driver is.
     *
     * @property waiting it rests, and would resume
     * @property shaken why it has to start anew, if it has
     * @property upgrading it is left alone
     */
    class Seat(
        val info: DriverInfo,
        val running: Boolean,
        val waiting: Boolean = false,
        val failure: DriverState.Failed? = null,
        val shaken: String? = null,
        val upgrading: Boolean = false,
    ) {
        val name: String get() = info.name
    }

    sealed interface Step {
        val name: String
    }

    data class Rest(override val name: String, val why: String) : Step

    data class Resume(override val name: String) : Step

    /**
     * What may be done now, all at once: those rest first that others do not need, and those resume first that need
     * no others; the rest's turn comes when these have.
     */
    fun steps(seats: List<Seat>): List<Step> {
        val byName = seats.associateBy { it.name }
        val doomed = LinkedHashMap<String, String>()
        do {
            val before = doomed.size
            for (seat in seats) {
                if (seat.running && !seat.upgrading && seat.name !in doomed) {
                    (seat.shaken ?: lack(seat.info, byName, doomed))?.let { doomed[seat.name] = it }
                }
            }
        } while (doomed.size > before)
        val rests = doomed.filterKeys { name -> seats.none { it.running && it.info needs name } }
            .map { Rest(it.key, it.value) }
        val others = seats.filter { it.waiting && !it.upgrading }.mapNotNull { seat ->
            val why = lack(seat.info, byName, doomed)
            when {
                why == null -> Resume(seat.name).takeIf { ready(seat.info, byName) }
                why != seat.failure?.why -> Rest(seat.name, why)
                else -> null
            }
        }
        return rests + others
    }

    /** What a driver misses for as long as nothing else happens; null also if it is on the way. */
    private fun lack(info: DriverInfo, all: Map<String, Seat>, doomed: Map<String, String>): String? =
        info.requires.firstNotNullOfOrNull { need ->
            val there = all[need.name]
            when {
                there == null -> "it requires $need, and no driver ${need.name} is there"
                there.name in doomed -> "it requires $need, which does not run: ${doomed[there.name]}"
                there.failure != null -> "it requires $need, which " + failed(there.failure)
                there.running && !there.takes(need) -> "it requires $need, and ${need.name} is ${there.info.version}"
                else -> null
            }
        }

    private fun failed(state: DriverState.Failed) =
        (if (state.quarantined) "is in quarantine: " else "failed: ") + state.why

    private fun ready(info: DriverInfo, all: Map<String, Seat>): Boolean =
        info.requires.all { need -> all[need.name]?.let { it.running && it.takes(need) } == true }

    private fun Seat.takes(need: DriverRequirement): Boolean = info.version in need.range

    private infix fun DriverInfo.needs(name: String): Boolean = requires.any { it.name == name }
}
