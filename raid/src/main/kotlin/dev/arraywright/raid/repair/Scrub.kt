package dev.arraywright.raid.repair

import dev.arraywright.raid.array.Progress
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.array.io.RowReport
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.yield

/** One scrub at work: waits while the array is not whole, as then nothing can be compared. */
internal class Scrub(
    private val array: RaidArray,
    private var status: ScrubStatus,
    private val meter: RateMeter,
    private val paused: StateFlow<Boolean>,
    private val show: (ScrubStatus) -> Unit,
) : Sweep.Work {
    private val geometry = array.geometry

    override suspend fun ready() {
        if (paused.value) paused.first { !it }
        awaitWhole()
    }

    override fun wants(stripe: Long): Boolean = serves()

    override suspend fun piece(stripe: Long, from: Int, until: Int) {
        while (true) {
            val report = try {
                array.cached.scrub(stripe) {
                    array.io.scrub(stripe, from, until, status.mode == ScrubMode.REPAIR)
                }
            } catch (_: DeviceIoException) {
                RowReport(unreadable = 1)
            }
            if (report.held || !serves()) return found(report)
            awaitWhole()
            yield()
        }
    }

    override fun moved(done: Long) = Unit

    override suspend fun tell(done: Long) {
        val bytes = if (done < geometry.stripes()) geometry.memberOffset(done) else geometry.componentSize()
        meter.mark(bytes)
        change {
            it.copy(
                progress = Progress(bytes, geometry.componentSize()),
                rate = meter.rate,
                remaining = meter.remaining(geometry.componentSize() - bytes),
            )
        }
    }

    /** The report as it ends in [phase]. */
    @Synchronized
    fun ended(phase: RebuildPhase, error: String?): ScrubStatus {
        status = status.copy(phase = phase, error = error, rate = 0, remaining = null)
        return status
    }

    private fun serves() = array.state.value.let { it.failure == null && !it.stopped }

    private suspend fun awaitWhole() {
        array.state.first { it.stopped || it.failure != null || (it.missing == 0 && it.resync == null) }
    }

    private fun found(report: RowReport) {
        if (report.mismatches.isEmpty() && report.unreadable == 0) return
        change {
            it.copy(
                mismatches = it.mismatches + report.mismatches.size,
                repaired = it.repaired + report.repaired,
                unreadable = it.unreadable + report.unreadable,
                places = (it.places + report.mismatches).sortedBy(Mismatch::offset).take(ScrubStatus.LISTED),
            )
        }
    }

    /** Pausing is the control's to show. */
    @Synchronized
    private fun change(next: (ScrubStatus) -> ScrubStatus) {
        status = next(status).copy(phase = if (paused.value) RebuildPhase.PAUSED else RebuildPhase.RUNNING)
        show(status)
    }
}
