package dev.arraywright.raid.repair

import dev.arraywright.raid.array.ArrayEvent
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.ArraySupervisor
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.io.LevelIo
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch

/** Does what the array's state says is to be done: first a resync, then rebuilds, one at a time. */
internal class Repairs(
    private val supervisor: ArraySupervisor,
    private val io: LevelIo,
    private val sweep: Sweep,
    private val checkpointBytes: Long,
    private val control: RepairControl,
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
        ?: state.slots.firstOrNull { it.replacement != null }?.slot

    private suspend fun resync() {
        val start = geometry.firstStripe { geometry.syncOffset(it + 1) > supervisor.syncedTo }
        val done = whileWanted({ supervisor.state.value.let { it.failure == null && it.resync != null } }) {
            sweep.run(start, Resync(start))
            true
        }
        if (done)
            supervisor.change {
                flushNow()
                if (view.state.failure != null) return@change
                syncedTo = Long.MAX_VALUE
                recordFirst(ArrayEvent.ResyncFinished)
                settleIntent()
            }
    }

    private suspend fun rebuild(slot: Int) {
        val member = supervisor.view.replacement(slot) ?: supervisor.view.writable(slot) ?: return
        val job = Rebuild(supervisor, io, control, checkpointBytes, slot, member)
        job.run { work ->
            val start = geometry.firstStripe { geometry.memberOffset(it) >= member.rebuilt }
            whileWanted(job::wanted) {
                try {
                    sweep.run(start, work)
                    true
                } catch (_: Sweep.Displaced) {
                    false
                }
            }
        }
    }

    /** Runs [action] to its end, or cancels it as soon as it is not wanted any more: then the result is false. */
    private suspend fun whileWanted(wanted: () -> Boolean, action: suspend () -> Boolean): Boolean = coroutineScope {
        val work = async { action() }
        val watch = launch {
            supervisor.state.first { !wanted() }
            work.cancel()
        }
        work.join()
        watch.cancel()
        if (work.isCancelled) false else work.await()
    }

    /** A stripe that cannot be repaired is reported and passed by: its data cannot be read either. */
    private inner class Resync(private var told: Long) : Sweep.Work {
        private val interval = maxOf(1, checkpointBytes / geometry.unit())
        private var recorded = told

        override suspend fun ready() = Unit

        override fun wants(stripe: Long): Boolean = supervisor.needed(stripe)

        override suspend fun piece(stripe: Long, from: Int, until: Int) {
            try {
                io.resync(stripe, from, until)
            } catch (failure: DeviceIoException) {
                supervisor.change { publish(ArrayEvent.ErrorSeen("resync: ${failure.message}")) }
            }
        }

        override fun moved(done: Long) {
            supervisor.syncedTo = geometry.syncOffset(done)
        }

        override suspend fun tell(done: Long) {
            if (done == told) return
            told = done
            supervisor.change { publish(ArrayEvent.ResyncAdvanced(geometry.syncOffset(done))) }
            if (done - recorded >= interval && done < geometry.stripes()) {
                recorded = done
                supervisor.change { recordProgress(null) }
            }
        }
    }
}

/** Once everybody has everything, the bitmap asks for nothing any more. */
internal fun ArraySupervisor.settleIntent() {
    val now = state.value
    if (now.missing == 0 && now.resync == null) intent?.resynced(0, geometry.syncSize())
}
