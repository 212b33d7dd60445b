package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus
import kotlinx.coroutines.channels.Channel

/** What the engine told and nobody has looked at yet. */
internal sealed interface Notice {
    data class Changed(val before: ArrayState, val after: ArrayState) : Notice

    data class Rebuild(val status: RebuildStatus) : Notice

    data class Scrub(val status: ScrubStatus) : Notice
}

/**
 * From the engine's threads to a supervisor. Bounded: progress takes the place of earlier progress, and when there is
 * too much all the same, states in between are left out, then the oldest rebuilds. The last state never is.
 */
internal class Notices(private val capacity: Int = 256) {
    private val queue = ArrayDeque<Notice>()

    /** Has something when there is reason to look. */
    val woken = Channel<Unit>(Channel.CONFLATED)

    fun wake() {
        woken.trySend(Unit)
    }

    fun offer(notice: Notice) {
        synchronized(queue) {
            val like = queue.indexOfLast { replaces(notice, it) }
            if (like >= 0 && queue.subList(like, queue.size).none { it is Notice.Changed })
                queue[like] = notice
            else
                queue += notice
            if (queue.size > capacity) compact()
        }
        wake()
    }

    fun take(): List<Notice> = synchronized(queue) { queue.toList().also { queue.clear() } }

    private fun replaces(new: Notice, old: Notice): Boolean = when (new) {
        is Notice.Changed -> false
        is Notice.Rebuild ->
            old is Notice.Rebuild && old.status.id == new.status.id &&
                old.status.phase == new.status.phase && new.status.phase == RebuildPhase.RUNNING
        is Notice.Scrub ->
            old is Notice.Scrub && old.status.started == new.status.started &&
                old.status.phase == new.status.phase && new.status.phase == RebuildPhase.RUNNING
    }

    private fun compact() {
        val states = queue.filterIsInstance<Notice.Changed>()
        val others = queue.filter { it !is Notice.Changed }
        queue.clear()
        if (states.isNotEmpty()) queue += Notice.Changed(states.first().before, states.last().after)
        queue += others.takeLast(capacity / 2)
    }
}
