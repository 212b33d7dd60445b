package dev.arraywright.raid.spare

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.SlotState
import dev.arraywright.raid.repair.RepairControl
import dev.arraywright.raid.spare.pool.Candidate
import dev.arraywright.raid.spare.pool.SpareChoice
import dev.arraywright.raid.spare.pool.Want
import dev.arraywright.raid.spare.watch.ManagedGroup
import dev.arraywright.raid.spare.watch.Shared
import kotlinx.coroutines.sync.withLock

/** What an operator has done now. */
internal class Orders(private val shared: Shared) {
    suspend fun forceRebuild(name: String, failed: String, replacement: String?) {
        val what = "cannot rebuild what $failed left"
        val group = shared.group(name)
        group.mutex.withLock {
            val now = group.state
            val place = now.slots.firstOrNull { it.deviceId == failed }
            val slot = now.out.lastOrNull { it.deviceId == failed }?.let { now.slots[it.slot] } ?: place
            if (slot == null) {
                throw refusal(
                    what,
                    "it was no member of $name",
                    "name one of ${now.out.map {
                        it.deviceId
                    }}, or a slot",
                )
            }
            if (place?.member == MemberState.InSync) {
                throw refusal(what, "it is a healthy member of $name", "replace it instead, or fail it first")
            }
            rebuild(group, what, slot, replacement)
        }
    }

    suspend fun forceRebuild(name: String, number: Int, replacement: String?) {
        val what = "cannot rebuild slot $number"
        val group = shared.group(name)
        group.mutex.withLock {
            val slot = group.state.slots.getOrNull(number)
                ?: throw refusal(what, "$name has no such slot", "name one below ${group.state.slots.size}")
            rebuild(group, what, slot, replacement)
        }
    }

    suspend fun replace(name: String, deviceId: String, spareId: String?) {
        val what = "cannot replace $deviceId"
        val group = shared.group(name)
        group.mutex.withLock {
            val slot = group.state.slots.firstOrNull { it.deviceId == deviceId }
                ?: throw refusal(
                    what,
                    "it is no member of $name",
                    "name one of ${group.state.slots.mapNotNull {
                        it.deviceId
                    }}",
                )
            val why = when {
                slot.member != MemberState.InSync -> "it is not in sync"
                slot.replacement != null -> "${slot.replacement.deviceId} is replacing it already"
                else -> null
            }
            if (why != null) throw refusal(what, why, "rebuild its slot instead, or wait")
            val want = group.want(slot, false, deviceId, "replaced by the operator")
            give(group, what, want, spareId)
        }
    }

    /** The control of the array that has a rebuild. */
    fun rebuilding(id: String, verb: String): RepairControl =
        shared.groups.value.values.map { it.array.repair }.firstOrNull { it.rebuild.value?.id == id }
            ?: throw refusal(
                "cannot $verb the rebuild $id",
                "there is none of that id",
                "name one of ${shared.rebuilds.value.map { it.id }}",
            )

    private suspend fun rebuild(group: ManagedGroup, what: String, slot: SlotState, replacement: String?) {
        if (slot.member.takesWrites) {
            val why = if (slot.member == MemberState.InSync)
                "slot ${slot.slot} has a healthy member, ${slot.deviceId}"
            else
                "slot ${slot.slot} is being rebuilt onto ${slot.deviceId}"
            throw refusal(what, why, "name a slot that is empty")
        }
        give(group, what, group.want(slot, true, group.lost(slot), group.cause(slot)), replacement)
    }

    private suspend fun give(group: ManagedGroup, what: String, want: Want, spareId: String?) {
        val now = group.state
        val why = when {
            now.stopped -> "the array is stopped"
            now.failure != null -> "the array has failed: ${now.failure}"
            !now.geometry.level().redundant() -> "${now.geometry.level()} has nothing to rebuild from"
            else -> null
        }
        if (why != null) throw refusal(what, why, "assemble a redundant array from its members")
        val spare = if (spareId == null) best(group, what, want) else named(group, what, want, spareId)
        group.book.clear(want.slot)
        group.failover.give(want, spare)?.let { throw it }
    }

    private fun best(group: ManagedGroup, what: String, want: Want): Candidate {
        val choice = SpareChoice.choose(want.need, group.dedicated() + shared.pool.candidates)
        val why = choice.verdicts.entries.joinToString("; ") { "${it.key}: ${it.value.why}" }
        return choice.spare ?: throw refusal(what, "no spare is eligible ($why)", "add a spare")
    }

    private fun named(group: ManagedGroup, what: String, want: Want, id: String): Candidate {
        val spare = (group.dedicated() + shared.pool.candidates).firstOrNull { it.id == id }
        if (spare == null) {
            val user = shared.user(id)
            throw if (user != null)
                ArrayException.InUse(what, "$id is in use by the group $user", "name a spare")
            else
                refusal(what, "$id is no spare", "register it first")
        }
        val verdict = SpareChoice.verdict(want.need, spare)
        if (!verdict.eligible)
            throw ArrayException.UnfitDevice(
                what,
                "$id does not fit: ${verdict.why}",
                "name another",
            )
        return spare
    }
}
