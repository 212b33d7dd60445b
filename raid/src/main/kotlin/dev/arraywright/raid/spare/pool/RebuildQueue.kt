package dev.arraywright.raid.spare.pool

import dev.arraywright.raid.repair.RebuildAdmission
import dev.arraywright.raid.repair.RebuildStatus
import kotlinx.coroutines.CompletableDeferred

/**
 * Whose turn it is to rebuild, for all arrays: the most endangered first, as it is at the moment; at most [limit] at
 * once; never two on one medium. A paused rebuild keeps its media, but others may go meanwhile: once it is resumed,
 * one more than the limit may run until one has ended. Lowering the limit stops none.
 */
internal class RebuildQueue(private val limit: () -> Int) {
    /** What is to know of a rebuild's array. Called under a lock: answers at once. */
    interface Entrant {
        val endangerment: Endangerment

        /** False once the rebuild has nothing to do any more: it goes through, to end. */
        fun wanted(status: RebuildStatus): Boolean

        fun paused(status: RebuildStatus): Boolean

        /** The media that it reads or writes. */
        fun media(status: RebuildStatus): Set<String>
    }

    private class Turn(val entrant: Entrant, val status: RebuildStatus, val media: Set<String>) {
        val granted = CompletableDeferred<Unit>()
        val wanted: Boolean get() = entrant.wanted(status)
        val paused: Boolean get() = entrant.paused(status)
    }

    private val lock = Any()
    private val waiting = ArrayList<Turn>()
    private val running = ArrayList<Turn>()

    fun admission(entrant: Entrant): RebuildAdmission = object : RebuildAdmission {
        override suspend fun <T> turn(status: RebuildStatus, action: suspend () -> T): T {
            val turn = Turn(entrant, status, entrant.media(status))
            synchronized(lock) { waiting += turn }
            try {
                reconsider()
                turn.granted.await()
                return action()
            } finally {
                synchronized(lock) {
                    waiting -= turn
                    running -= turn
                }
                reconsider()
            }
        }
    }

    /** To be called when endangerment, the limit, or what is wanted or paused has changed. */
    fun reconsider() {
        val granted = synchronized(lock) { pick() }
        for (turn in granted) turn.granted.complete(Unit)
    }

    private fun pick(): List<Turn> {
        val (wanted, idle) = waiting.partition { it.wanted }
        waiting -= idle.toSet()
        val granted = ArrayList(idle)
        // Sorted by values of one moment, as they may change meanwhile. The sort is stable: else first come first.
        for ((turn, _) in wanted.map { it to it.entrant.endangerment }.sortedBy { it.second }) {
            if (turn.paused) continue
            if (running.count { !it.paused } >= limit()) break
            if (running.any { other -> other.media.any { it in turn.media } }) continue
            waiting -= turn
            running += turn
            granted += turn
        }
        return granted
    }
}
