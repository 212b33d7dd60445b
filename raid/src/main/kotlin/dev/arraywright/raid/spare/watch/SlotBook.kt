package dev.arraywright.raid.spare.watch

import java.util.concurrent.ConcurrentHashMap
import kotlin.time.ComparableTimeMark
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.TimeSource

/** What was tried with each slot. Thread-safe. */
internal class SlotBook(private val time: TimeSource.WithComparableMarks) {
    /**
     * @property held its rebuild was called off: somebody has to ask for the next one
     * @property busy a spare is just being given to it
     * @property attempts rebuilds in a row whose sources could not be read, which puts the next off until [retryAt]
     * @property told what was told of there being no spare
     */
    private data class Page(
        val held: Boolean = false,
        val busy: Boolean = false,
        val attempts: Int = 0,
        val retryAt: ComparableTimeMark? = null,
        val told: Any? = null,
    )

    private val pages = ConcurrentHashMap<Int, Page>()

    /** True if a spare may be given to it. */
    fun free(slot: Int): Boolean = page(slot).let { !it.held && !it.busy && it.retryAt?.hasPassedNow() != false }

    fun hold(slot: Int) = turn(slot) { it.copy(held = true) }

    fun lift() {
        for (slot in pages.keys) turn(slot) { it.copy(held = false) }
    }

    /** All is well with it, or somebody asks for it to be tried at once. */
    fun clear(slot: Int) {
        pages.remove(slot)
    }

    /** Not again before [delay], or longer if that was so before. */
    fun putOff(slot: Int, delay: Duration) = turn(slot) {
        val longer = (delay * (1 shl it.attempts.coerceAtMost(MOST))).coerceAtMost(LONGEST)
        it.copy(attempts = it.attempts + 1, retryAt = time.markNow() + longer)
    }

    /** True if [what] was not the last that was told. */
    fun news(slot: Int, what: Any): Boolean {
        if (page(slot).told == what) return false
        turn(slot) { it.copy(told = what) }
        return true
    }

    /** How long until a slot that was put off is free; null if none is. */
    fun next(): Duration? = pages.values.mapNotNull { it.retryAt }.filter { it.hasNotPassedNow() }
        .minOrNull()?.let { -it.elapsedNow() }

    suspend fun <T> busy(slot: Int, action: suspend () -> T): T {
        turn(slot) { it.copy(busy = true) }
        try {
            return action()
        } finally {
            turn(slot) { it.copy(busy = false) }
        }
    }

    private fun page(slot: Int) = pages[slot] ?: Page()

    private fun turn(slot: Int, next: (Page) -> Page) {
        pages.compute(slot) { _, page -> next(page ?: Page()) }
    }

    private companion object {
        const val MOST = 20
        val LONGEST = 1.hours
    }
}
