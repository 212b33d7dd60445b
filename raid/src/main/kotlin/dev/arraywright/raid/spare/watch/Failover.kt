package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.spare.GroupEvent
import dev.arraywright.raid.spare.SpareHealth
import dev.arraywright.raid.spare.SpareVerdict
import dev.arraywright.raid.spare.pool.Candidate
import dev.arraywright.raid.spare.pool.Choice
import dev.arraywright.raid.spare.pool.Want
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/** Gives a group's slots the spares they need. To be called by who holds the group's mutex. */
internal class Failover(private val group: ManagedGroup, private val shared: Shared) {
    private val array get() = group.array

    /** Gives each slot that asks for a spare one, and tells of those that get none. */
    suspend fun act() {
        // Each round gives a spare away or finds one dead; who comes meanwhile wakes the supervisor again.
        repeat(ROUNDS) {
            val own = shared.plan().filterKeys { it.group == group.name }
            val (want, choice) = own.entries.firstOrNull { it.value.spare != null } ?: return exhausted(own)
            val refused = give(want, choice.spare!!) as? ArrayException.WrongState ?: return@repeat
            shared.tell(GroupEvent.SupervisorTrouble(group.name, refused.message.orEmpty()))
            group.book.putOff(want.slot, shared.policy.value.retryDelay)
        }
    }

    /** Has a spare take a slot; null if it does, or else what kept it from it, told already if it was the spare. */
    suspend fun give(want: Want, spare: Candidate): ArrayException? = group.book.busy(want.slot) {
        // Where a device is must be known at the end. Its calls have deadlines.
        withContext(NonCancellable) {
            (if (spare.dedicated) null else borrow(spare.id)) ?: begin(want, spare.id)
        }
    }

    /** A shared spare that the array did not use is for anybody again; one that the array has dropped is dead. */
    suspend fun giveBack(id: String) {
        val spare = group.borrowed[id] ?: return
        withContext(NonCancellable) {
            if (id in group.state.spares && removed(id)) {
                group.borrowed -= id
                group.domain(id, group.spec.domains[id])
                shared.pool.add(spare, SpareHealth.Unchecked)
                shared.changed()
            } else if (!group.has(id)) {
                retire(id, group.state.lastError ?: "the array could not record anything on it")
            }
        }
    }

    private suspend fun removed(id: String): Boolean = try {
        array.remove(id)
        true
    } catch (_: ArrayException.WrongState) {
        false
    }

    /** A spare was found dead. */
    suspend fun retire(id: String, cause: String) {
        val spare = group.borrowed.remove(id)
        shared.tell(GroupEvent.SpareFailed(group.name, id, cause))
        if (spare != null && !group.has(id)) shared.surroundings.close(spare.device)
        shared.changed()
    }

    private suspend fun borrow(id: String): ArrayException? {
        val spare = shared.pool.take(id) ?: return gone(id)
        group.borrowed[id] = spare
        group.lent += id
        group.domain(id, spare.domain)
        try {
            array.add(spare.device, force = true)
            return null
        } catch (refused: ArrayException.WrongState) {
            group.borrowed -= id
            shared.pool.add(spare, SpareHealth.Unchecked)
            return refused
        } catch (dead: ArrayException) {
            retire(id, dead.why)
            return dead
        } catch (dead: DeviceIoException) {
            retire(id, dead.message ?: dead.toString())
            return ArrayException.DeviceFailed("cannot use $id", dead.message.orEmpty(), "check the device", dead)
        }
    }

    private suspend fun begin(want: Want, id: String): ArrayException? {
        try {
            if (want.empty) array.rebuild(want.slot, id) else array.replace(want.device!!, id, want.cause)
        } catch (dead: ArrayException.DeviceFailed) {
            retire(id, dead.why)
            return dead
        } catch (refused: ArrayException) {
            giveBack(id)
            return refused
        }
        shared.tell(GroupEvent.FailoverStarted(group.name, want.slot, want.device, id, want.cause))
        return null
    }

    private fun exhausted(own: Map<Want, Choice>) {
        for ((want, choice) in own) {
            if (choice.later) continue
            val why = choice.verdicts.mapValues { (_, verdict: SpareVerdict) -> verdict.why }
            if (group.book.news(want.slot, want.cause to why)) {
                shared.tell(GroupEvent.SparesExhausted(group.name, want.slot, want.cause, why))
            }
        }
    }

    private fun gone(id: String) =
        ArrayException.WrongState("cannot use $id", "somebody else took it meanwhile", "try again")

    private companion object {
        const val ROUNDS = 32
    }
}
