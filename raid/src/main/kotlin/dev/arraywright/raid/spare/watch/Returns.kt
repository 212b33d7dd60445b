package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.OutDevice
import dev.arraywright.raid.spare.GroupEvent
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.ComparableTimeMark
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

/**
 * Members that were away and come back. One whose place is free has it again; one whose place is taken, or who does
 * not fit any more, is told of once. For the supervisor's coroutine.
 */
internal class Returns(private val group: ManagedGroup, private val shared: Shared) {
    private class Visit(val times: Int, val next: ComparableTimeMark)

    private val late = HashSet<OutDevice>()
    private val unfit = HashSet<OutDevice>()
    private val visits = HashMap<String, Visit>()

    /** Looks for those that somebody saw, and with [everyone] for all that may be back. */
    suspend fun look(everyone: Boolean) {
        val out = group.state.out.filter { it.kind == OutDevice.Kind.FAILED }
        late.retainAll(out.toSet())
        unfit.retainAll(out.toSet())
        // Who was replaced, or taken away meanwhile, is not expected back.
        group.announced.retainAll(out.map { it.deviceId }.toSet())
        for (device in out) {
            val announced = group.announced.remove(device.deviceId)
            if (announced) {
                late -= device
                unfit -= device
            }
            if (announced || (everyone && expected(device))) {
                shared.guarded(group.name) { visit(device) }
            }
        }
    }

    /**
     * Who did not answer any more. One that was failed though it did, or that nobody asked, was failed for a reason, and
     * is taken back only where somebody says so.
     */
    private fun expected(device: OutDevice): Boolean =
        device !in unfit && (device !in late || group.free(device.slot)) &&
            group.health.away(device.deviceId) == true &&
            visits[device.deviceId]?.next?.hasPassedNow() != false

    private suspend fun visit(out: OutDevice) {
        val back = withTimeoutOrNull(PATIENCE) { shared.surroundings.reopen(group.name, out.deviceId) } ?: return
        var seated = false
        try {
            seated = withContext(NonCancellable) { group.mutex.withLock { seat(out, back) } }
        } finally {
            if (!seated) withContext(NonCancellable) { shared.surroundings.close(back) }
        }
    }

    private suspend fun seat(out: OutDevice, back: AsyncBlockDevice): Boolean {
        val slot = group.state.slots[out.slot]
        if (slot.member.takesWrites) {
            if (late.add(out)) returned(out, "slot ${slot.slot} has ${slot.deviceId} by now")
            return false
        }
        return try {
            group.health.forget(out.deviceId)
            val byBitmap = group.array.readd(back)
            again(out)
            shared.tell(GroupEvent.MemberReadded(group.name, out.slot, out.deviceId, byBitmap))
            true
        } catch (refused: ArrayException.DeviceFailed) {
            again(out)
            throw refused
        } catch (refused: ArrayException) {
            if (unfit.add(out)) returned(out, refused.why)
            false
        }
    }

    private fun returned(out: OutDevice, why: String) {
        shared.tell(GroupEvent.MemberReturned(group.name, out.slot, out.deviceId, why))
    }

    /** One that comes and goes is looked for less and less often. */
    private fun again(out: OutDevice) {
        val times = visits[out.deviceId]?.times ?: 0
        val interval = shared.policy.value.healthCheckInterval
        val wait = if (times == 0) Duration.ZERO else interval * (1 shl times.coerceAtMost(MOST))
        visits[out.deviceId] = Visit(times + 1, shared.time.markNow() + wait.coerceAtMost(LONGEST))
    }

    private companion object {
        const val MOST = 20
        val LONGEST = 1.hours
        val PATIENCE = 30.seconds
    }
}
