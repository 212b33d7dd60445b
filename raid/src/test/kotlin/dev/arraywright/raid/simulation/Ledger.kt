package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus
import dev.arraywright.raid.spare.GroupEvent

/**
 * What the engine and a manager tell of jobs, held against what jobs are: each begins once, none while another one is
 * at the same slot or device, and each ends once. What is not so goes to [found].
 */
internal class Ledger(
    private val tally: Tally,
    private val filled: (String) -> Boolean,
    private val found: (Throwable) -> Unit,
) : ArrayObserver {
    private val engine = Jobs("rebuild")
    private val told = Jobs("rebuild as the manager tells")
    private val scrubs = Jobs("scrub")
    private val scrubsTold = Jobs("scrub as the manager tells")
    private val failovers = HashMap<String, Int>()

    /** After it jobs may have no end. */
    var closed = false

    /** The rebuild that runs already when the array is taken over. */
    fun adopt(status: RebuildStatus) {
        engine.seen(status)
        told.seen(status.copy(progress = status.progress.copy(done = 0), phase = RebuildPhase.WAITING))
    }

    override fun rebuild(status: RebuildStatus) {
        checked { engine.seen(status) }
        if (status.phase == RebuildPhase.COMPLETE && !closed) tally.done("${status.kind}")
    }

    override fun scrub(status: ScrubStatus) {
        checked { scrubs.seen("${status.started}", status.phase, emptySet(), status.progress.done) }
        if (status.phase == RebuildPhase.COMPLETE && !closed) tally.done("scrub")
    }

    fun told(event: GroupEvent) {
        when (event) {
            is GroupEvent.FailoverStarted -> checked {
                check(failovers.put(event.spare, event.slot) == null) { "$event, begun before" }
                val others = failovers.filterValues { it == event.slot } - event.spare
                check(others.none { filled(it.key) }) { "$event while $others are at it" }
            }
            is GroupEvent.Rebuild -> checked {
                told.seen(event.status)
                if (event.status.phase.terminal) failovers -= event.status.replacement
            }
            is GroupEvent.Scrub -> event.status.run {
                checked { scrubsTold.seen("$started", phase, emptySet(), progress.done) }
            }
            // It was never its turn.
            is GroupEvent.SpareFailed -> failovers -= event.device
            else -> Unit
        }
    }

    /** What has no end yet. */
    fun open(): List<String> = listOf(engine, told, scrubs, scrubsTold).flatMap { it.open() } +
        failovers.map { "the failover of slot ${it.value} to ${it.key}" }

    private fun Jobs.seen(status: RebuildStatus) =
        seen(status.id, status.phase, setOf("slot ${status.slot}", status.replacement), status.progress.done)

    private inline fun checked(action: () -> Unit) {
        if (!closed) runCatching(action).onFailure(found)
    }

    private class Jobs(private val what: String) {
        private class Job(val places: Set<String>, var phase: RebuildPhase, var done: Long)

        private val jobs = LinkedHashMap<String, Job>()

        fun seen(id: String, phase: RebuildPhase, places: Set<String>, done: Long) {
            val job = jobs[id]
            if (job == null) {
                val other = jobs.entries.firstOrNull {
                    !it.value.phase.terminal && it.value.places.any(places::contains)
                }
                check(other == null) { "$what $id of $places begins while ${other?.key} runs" }
                check(!phase.terminal) { "$what $id ends and never began" }
                jobs[id] = Job(places, phase, done)
                return
            }
            check(!job.phase.terminal) { "$what $id is $phase after its end, ${job.phase}" }
            check(phase != RebuildPhase.WAITING || job.phase != RebuildPhase.RUNNING) { "$what $id begins again" }
            check(done >= job.done) { "$what $id goes back from ${job.done} to $done" }
            job.phase = phase
            job.done = done
        }

        fun open(): List<String> = jobs.filterValues { !it.phase.terminal }.map { "$what ${it.key}" }
    }
}
