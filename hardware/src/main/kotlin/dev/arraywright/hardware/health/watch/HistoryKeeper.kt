package dev.arraywright.hardware.health.watch

import dev.arraywright.hardware.health.history.HealthHistory
import dev.arraywright.hardware.health.history.HealthSample
import dev.arraywright.hardware.health.history.HistoryFiles
import dev.arraywright.hardware.health.history.LoadedHistory
import kotlin.time.Clock
import kotlin.time.Duration

/**
 * One device's history, and its file if there is to be one. What cannot be loaded yet is tried again, and until then
 * nothing is saved over it. Not thread-safe.
 */
internal class HistoryKeeper(
    private val id: String,
    private val files: HistoryFiles?,
    private val clock: Clock,
    private val reads: BoundedReads,
) {
    private val slot = BoundedReads.Slot()
    private var history = HealthHistory.EMPTY
    private var loaded = files == null

    /** Why the history is not kept, or was lost. */
    var problem: String? = null
        private set

    suspend fun history(deadline: Duration): HealthHistory {
        if (!loaded && files != null) load(files, deadline)
        return history
    }

    /** Remembers a sample if it is time for one. */
    suspend fun add(sample: HealthSample, deadline: Duration) {
        val before = history(deadline)
        history = before.plus(sample)
        if (history === before || !loaded || files == null) return
        val now = history
        when (val saved = reads.run(slot, deadline) { files.save(id, now) }) {
            is Bounded.Done -> if (problem?.startsWith(NOT_SAVED) == true) problem = null
            is Bounded.Threw -> problem = "$NOT_SAVED: ${saved.cause.message ?: saved.cause}"
            is Bounded.Late -> problem = "$NOT_SAVED: no answer within $deadline"
        }
    }

    private suspend fun load(files: HistoryFiles, deadline: Duration) {
        val now = clock.now()
        when (val answer = reads.run(slot, deadline) { files.load(id, now) }) {
            is Bounded.Done -> take(answer.value)
            is Bounded.Threw -> problem = "not loaded: ${answer.cause.message ?: answer.cause}"
            is Bounded.Late -> problem = "not loaded: no answer within $deadline"
        }
    }

    private fun take(answer: LoadedHistory) {
        loaded = true
        problem = answer.problem
        history = HealthHistory.of(answer.history.samples + history.samples, clock.now())
    }

    private companion object {
        const val NOT_SAVED = "not saved"
    }
}
