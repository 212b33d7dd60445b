package dev.arraywright.raid.repair

import dev.arraywright.raid.array.ArrayEvent
import dev.arraywright.raid.array.ArraySupervisor
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.Progress
import dev.arraywright.raid.array.callOff
import dev.arraywright.raid.array.io.LevelIo
import dev.arraywright.raid.array.io.Member
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.CancellationException

/** One filling of one member: what [RebuildStatus] shows. Ends with one terminal status, whatever happens. */
internal class Rebuild(
    private val supervisor: ArraySupervisor,
    private val io: LevelIo,
    private val control: RepairControl,
    checkpointBytes: Long,
    private val slot: Int,
    private val member: Member,
) {
    private val geometry = supervisor.geometry
    private val replaces = supervisor.view.replacement(slot) === member
    private val byBitmap = (supervisor.state.value.slots[slot].member as? MemberState.Rebuilding)?.byBitmap == true
    private val interval = maxOf(1, checkpointBytes / geometry.unit())
    private val meter = RateMeter(control.time)

    /** Its place is still the same. */
    fun wanted(): Boolean = supervisor.view.let { view ->
        val there = if (replaces) view.replacement(slot) else view.writable(slot)
        there === member && view.state.failure == null && !view.state.stopped
    }

    /** [sweep] runs the work while it is wanted, and says whether it came to its end. */
    suspend fun run(sweep: suspend (Sweep.Work) -> Boolean) {
        control.began(status())
        try {
            // Writes that are under way may have begun without the member, and those to come do not.
            if (byBitmap) supervisor.intent?.needAll()
            val ended = control.admitted { if (wanted()) sweep(Filling()) else false }
            if (ended) finish()
            control.ended(outcome())
        } catch (unreadable: DeviceIoException) {
            val cause = "slot $slot could not be filled: ${unreadable.message}${unreadable.cause?.let {
                " (${it.message})"
            }.orEmpty()}"
            supervisor.change { if (wanted()) callOff(slot, cause) }
            control.ended(outcome(cause))
        } catch (cancelled: CancellationException) {
            control.ended(control.current().copy(phase = RebuildPhase.CANCELLED, error = STOPPED))
            throw cancelled
        }
    }

    private fun status(): RebuildStatus {
        val kind = if (replaces)
            RebuildKind.REPLACE
        else if (byBitmap)
            RebuildKind.READD
        else
            RebuildKind.REBUILD
        val now = supervisor.state.value
        val failed = if (replaces) now.slots[slot].deviceId else now.out.lastOrNull { it.slot == slot }?.deviceId
        val whole = geometry.componentSize()
        return control.fresh(kind, slot, failed, member.id, Progress(minOf(member.rebuilt, whole), whole))
    }

    private suspend fun finish() {
        supervisor.change {
            flushNow()
            if (!wanted()) return@change
            member.rebuilt = Long.MAX_VALUE
            if (replaces) swap() else recordFirst(ArrayEvent.RebuildFinished(slot))
            if (state.value.failure == null) settleIntent()
        }
    }

    /** First the newcomer is known to be whole, then the other one leaves: so one of them counts at every moment. */
    private suspend fun ArraySupervisor.swap() {
        val seat = roster.replacements[slot] ?: return
        reseat(roster.withReplacement(slot, seat.recorded(Superblock.IN_SYNC)))
        record(ArrayEvent.ReplacementAdvanced(slot, geometry.componentSize()))
        if (!wanted() || state.value.slots[slot].replacement?.whole != true) return
        reseat(roster.failed(slot))
        record(ArrayEvent.ReplacementFinished(slot, reasons.remove(slot) ?: "replaced"))
    }

    /** What became of it, by the state that the array is in. */
    private fun outcome(cause: String? = null): RebuildStatus {
        val now = supervisor.state.value
        val last = control.current()
        val out = now.out.lastOrNull { it.deviceId == member.id }
        val place = now.slots[slot]
        val whole = Progress(geometry.componentSize(), geometry.componentSize())
        return when {
            place.deviceId == member.id && place.member == MemberState.InSync ->
                last.copy(phase = RebuildPhase.COMPLETE, progress = whole, rate = meter.rate, remaining = null)
            out != null -> last.failed(out.cause, true)
            now.failure != null -> last.failed(now.failure, false)
            cause != null -> last.failed(cause, false)
            now.stopped -> last.copy(phase = RebuildPhase.CANCELLED, error = STOPPED, rate = 0, remaining = null)
            place.replacement == null && replaces && place.deviceId == member.id ->
                last.failed("the member it was to replace failed first; it is rebuilt from the others now", false)
            else -> last.copy(phase = RebuildPhase.CANCELLED, rate = 0, remaining = null)
        }
    }

    private fun RebuildStatus.failed(cause: String, spareAtFault: Boolean): RebuildStatus =
        copy(phase = RebuildPhase.FAILED, error = cause, spareAtFault = spareAtFault, rate = 0, remaining = null)

    private inner class Filling : Sweep.Work {
        private var recorded = geometry.firstStripe { geometry.memberOffset(it) >= member.rebuilt }
        private var told = recorded

        override suspend fun ready() {
            control.unpaused()
        }

        override fun wants(stripe: Long): Boolean = !byBitmap || supervisor.needed(stripe)

        override suspend fun piece(stripe: Long, from: Int, until: Int) {
            val done = if (replaces) io.copy(stripe, slot, from, until) else io.rebuild(stripe, slot, from, until)
            // Progress would tell what is not so, to who goes on with the same member.
            if (!done) throw Sweep.Displaced()
        }

        override fun moved(done: Long) {
            member.rebuilt = if (done < geometry.stripes()) geometry.memberOffset(done) else geometry.componentSize()
        }

        override suspend fun tell(done: Long) {
            if (done == told) return
            told = done
            val bytes = member.rebuilt
            meter.mark(bytes)
            supervisor.change {
                if (wanted()) publish(advance(bytes))
            }
            val left = geometry.componentSize() - bytes
            val progress = Progress(bytes, geometry.componentSize())
            control.advanced(progress, meter.rate, meter.remaining(left))
            if (done - recorded >= interval && done < geometry.stripes()) {
                recorded = done
                supervisor.change { if (wanted()) recordProgress(slot) }
            }
        }

        /** That a replacement is whole is for the superblocks to say first. */
        private fun advance(bytes: Long): ArrayEvent = if (replaces)
            ArrayEvent.ReplacementAdvanced(slot, minOf(bytes, geometry.componentSize() - 1))
        else
            ArrayEvent.RebuildAdvanced(slot, bytes)
    }

    private companion object {
        const val STOPPED = "the array was stopped; the rebuild goes on where it was when the array is started again"
    }
}
