package dev.arraywright.hardware.memory.balloon

import dev.arraywright.spi.memory.MemoryPressure
import kotlin.time.Duration

/**
 * One round of giving memory back.
 *
 * @property number counts from 1
 * @property pressure what it answers
 * @property releases what each handler was asked and gave, in the order asked; a handler that gave all it was asked may
 *   be asked twice
 * @property reported bytes given back by others since the round before, by [BalloonDriver.reportMemoryReleased]
 * @property residentBefore bytes of this process in memory (VmRSS); null where the kernel does not tell
 * @property heap what became of the Java heap; null if it was left alone
 */
public data class PressureRound(
    val number: Long,
    val pressure: MemoryPressure,
    val releases: List<Release>,
    val reported: Long,
    val residentBefore: Long?,
    val residentAfter: Long?,
    val heap: HeapRelease?,
    val took: Duration,
) {
    /** Bytes that were to be given back. */
    val asked: Long get() = pressure.bytesToRelease()

    /** Bytes that were said to be given back. */
    val released: Long get() = releases.sumOf { it.released } + reported

    /** Bytes by which the process became smaller; others of its parts may have grown meanwhile. */
    val confirmed: Long?
        get() {
            val before = residentBefore ?: return null
            return residentAfter?.let { (before - it).coerceAtLeast(0) }
        }
}

/**
 * What one handler did; [failure] says why it gave nothing: it failed, was too late, or is late since a round before.
 */
public data class Release(
    val name: String,
    val order: Int,
    val asked: Long,
    val released: Long,
    val failure: String? = null,
)

/** The Java heap's part: whether the collector ran, or why not, and the bytes it held before and after. */
public data class HeapRelease(val collected: Boolean, val detail: String, val before: Long, val after: Long)
