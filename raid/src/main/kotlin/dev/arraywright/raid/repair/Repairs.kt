package dev.arraywright.raid.repair

import dev.arraywright.raid.array.ArrayEvent
import dev.arraywright.raid.array.ArrayPolicy
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.ArraySupervisor
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.io.LevelIo
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/** Does what the array's state says is to be done: first a resync, then rebuilds, one at a time. */
internal class Repairs(
    private val supervisor: ArraySupervisor,
    private val io: LevelIo,
    private val policy: ArrayPolicy,
) {
    private val geometry = supervisor.geometry

    /** Ends only by cancellation. */
    suspend fun run() {
        while (true) {
            val state = supervisor.state.first {
                it.failure == null && !it.stopped && (it.resync != null || target(it) != null)
            }
            if (state.resync != null) resync() else rebuild(target(state)!!)
        }
    }

    private fun target(state: ArrayState): Int? = state.slots.firstOrNull { it.member is MemberState.Rebuilding }?.slot

    /** A stripe that cannot be repaired is reported and passed by: its data cannot be read either. */
    private suspend fun resync() {
        val start = firstFrom { geometry.syncOffset(it + 1) > supervisor.syncedTo }
        sweep(start, { supervisor.state.value.failure == null }, null, ::resyncStripe) { done ->
            supervisor.syncedTo = geometry.syncOffset(done)
            supervisor.change { publish(view.state.on(ArrayEvent.ResyncAdvanced(syncedTo))) }
        }
        supervisor.change {
            flushNow()
            if (view.state.failure == null) {
                syncedTo = Long.MAX_VALUE
                recordFirst(ArrayEvent.ResyncFinished)
            }
        }
    }

    private suspend fun resyncStripe(stripe: Long) {
        try {
            io.resync(stripe)
        } catch (failure: DeviceIoException) {
            supervisor.change { publish(view.state.on(ArrayEvent.ErrorSeen("resync: ${failure.message}"))) }
        }
    }

    /** Ends when the member is whole, has failed, or cannot be filled: then it is failed, not left half full. */
    private suspend fun rebuild(slot: Int) {
        val member = supervisor.view.writable(slot) ?: return
        val start = firstFrom { geometry.memberOffset(it) >= member.rebuilt }
        try {
            sweep(start, { supervisor.view.writable(slot) === member }, slot, { io.rebuild(it, slot) }) { done ->
                member.rebuilt = geometry.memberOffset(done)
                supervisor.change { publish(view.state.on(ArrayEvent.RebuildAdvanced(slot, member.rebuilt))) }
            }
        } catch (unreadable: DeviceIoException) {
            return supervisor.change { failNow(member, "rebuild ended: ${unreadable.message}", readable = false) }
        }
        supervisor.change {
            flushNow()
            if (view.writable(slot) !== member || view.state.failure != null) return@change
            member.rebuilt = Long.MAX_VALUE
            recordFirst(ArrayEvent.RebuildFinished(slot))
        }
    }

    /** Works through the stripes, a window at a time, while [wanted]; stripes below the one told [advanced] are done. */
    private suspend fun sweep(
        start: Long,
        wanted: () -> Boolean,
        slot: Int?,
        each: suspend (Long) -> Unit,
        advanced: suspend (Long) -> Unit,
    ) {
        val interval = maxOf(1, policy.checkpointBytes / geometry.unit())
        var recorded = start
        var next = start
        while (next < geometry.stripes() && wanted()) {
            val end = minOf(next + policy.sweepWindow, geometry.stripes())
            coroutineScope { for (stripe in next until end) launch { each(stripe) } }
            next = end
            if (!wanted()) return
            advanced(next)
            if (next - recorded >= interval && next < geometry.stripes()) {
                supervisor.change { recordProgress(slot) }
                recorded = next
            }
            yield()
        }
    }

    /** The first stripe for which [condition] holds, which it does from there on. */
    private inline fun firstFrom(condition: (Long) -> Boolean): Long {
        var low = 0L
        var high = geometry.stripes()
        while (low < high) {
            val middle = (low + high) / 2
            if (condition(middle)) high = middle else low = middle + 1
        }
        return low
    }
}
