package dev.arraywright.kernel.spare

import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.kernel.event.RebuildCancelled
import dev.arraywright.kernel.event.RebuildComplete
import dev.arraywright.kernel.event.RebuildFailed
import dev.arraywright.kernel.event.RebuildPaused
import dev.arraywright.kernel.event.RebuildProgress
import dev.arraywright.kernel.event.RebuildResumed
import dev.arraywright.kernel.event.RebuildStarted
import dev.arraywright.kernel.event.ScrubComplete
import dev.arraywright.kernel.event.ScrubFailed
import dev.arraywright.kernel.event.ScrubPaused
import dev.arraywright.kernel.event.ScrubProgress
import dev.arraywright.kernel.event.ScrubResumed
import dev.arraywright.kernel.event.ScrubStarted
import dev.arraywright.kernel.event.ScrubStopped
import dev.arraywright.kernel.event.percentOf
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.repair.ScrubStatus

private const val TENTH = 10
private const val STOPS = "the array stops"

/**
 * Rebuilds as one beginning, any number of what lies between, and one end each. One that still waits has not begun; one
 * that ends before its turn came begins and ends at once.
 */
internal class RebuildStory(private val emit: (Occurrence) -> Unit) {
    private val last = HashMap<String, RebuildView>()

    fun tell(group: String, now: RebuildView) {
        if (now.phase == "waiting" && now.id !in last) return
        val before = last.put(now.id, now)
        if (before == null) {
            emit(now.run { RebuildStarted(group, id, slot, replacement, total, done, failed) })
        }
        now.run {
            when (phase) {
                "complete" -> emit(RebuildComplete(group, id, slot, replacement, total))
                "failed" -> emit(RebuildFailed(group, id, slot, replacement, done, total, error))
                "cancelled" -> emit(RebuildCancelled(group, id, slot, replacement, done, total, error))
                "paused" -> if (before?.phase != "paused")
                    emit(
                        RebuildPaused(group, id, slot, replacement, done, total),
                    )
                else -> went(group, before, this)
            }
        }
        if (now.phase in ENDS) last -= now.id
    }

    /** The array stops: what has not ended here ends with it. */
    fun end(group: String) {
        for (now in last.values.filter { it.array == group }) {
            last -= now.id
            emit(now.run { RebuildCancelled(group, id, slot, replacement, done, total, STOPS) })
        }
    }

    private fun went(group: String, before: RebuildView?, now: RebuildView) = now.run {
        if (before?.phase == "paused") {
            emit(RebuildResumed(group, id, slot, replacement, done, total))
        } else if (before != null && tenth(done, total) > tenth(before.done, before.total)) {
            emit(RebuildProgress(group, id, slot, replacement, done, total))
        }
    }

    private companion object {
        val ENDS = setOf("complete", "failed", "cancelled")
    }
}

/** Scrubs likewise; an array has one at a time. */
internal class ScrubStory(private val emit: (Occurrence) -> Unit) {
    private val last = HashMap<String, ScrubStatus>()

    fun tell(group: String, now: ScrubStatus) {
        val before = last.put(group, now)?.takeIf { it.started == now.started }
        val (done, total) = now.progress
        if (before == null) emit(ScrubStarted(group, now.mode == ScrubMode.REPAIR, total, done))
        when (now.phase) {
            RebuildPhase.COMPLETE -> emit(ScrubComplete(group, total, now.mismatches, now.repaired))
            RebuildPhase.FAILED -> emit(ScrubFailed(group, done, total, now.error, now.mismatches))
            RebuildPhase.CANCELLED -> emit(ScrubStopped(group, done, total, now.mismatches, now.error))
            RebuildPhase.PAUSED -> if (before?.phase != RebuildPhase.PAUSED) emit(ScrubPaused(group, done, total))
            RebuildPhase.WAITING, RebuildPhase.RUNNING -> when {
                before?.phase == RebuildPhase.PAUSED -> emit(ScrubResumed(group, done, total))
                before != null && tenth(done, total) > before.progress.let { tenth(it.done, it.total) } ->
                    emit(ScrubProgress(group, done, total, now.mismatches))
            }
        }
        if (now.phase.terminal) last -= group
    }

    /** See [RebuildStory.end]. */
    fun end(group: String) {
        val now = last.remove(group) ?: return
        emit(ScrubStopped(group, now.progress.done, now.progress.total, now.mismatches, STOPS))
    }
}

private fun tenth(done: Long, total: Long): Int = percentOf(done, total) / TENTH
