package dev.arraywright.raid.spare.pool

import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.SlotState
import dev.arraywright.raid.layout.RaidLevel

/** How near an array is to losing data: the least is the most endangered. */
internal data class Endangerment(val furtherFailures: Int, val missing: Int) : Comparable<Endangerment> {
    override fun compareTo(other: Endangerment): Int =
        compareValuesBy(this, other, { it.furtherFailures }, { -it.missing })

    companion object {
        /** Nothing can be done for an array past its tolerance, so it is nobody's hurry. */
        private val Beyond = Endangerment(Int.MAX_VALUE, 0)

        fun of(state: ArrayState): Endangerment {
            val further = when {
                state.failure != null || state.stopped -> return Beyond
                state.geometry.level() != RaidLevel.RAID10 -> state.geometry.tolerance() - state.missing
                // With two copies a single member decides: either some one may not fail any more, or any one may.
                state.slots.any { it.inSync && !state.survivesWithout(it.slot) } -> 0
                else -> 1
            }
            return Endangerment(further, state.missing)
        }

        private fun ArrayState.survivesWithout(slot: Int) = geometry.survives { it != slot && slots[it].inSync }

        private val SlotState.inSync get() = member == MemberState.InSync
    }
}
