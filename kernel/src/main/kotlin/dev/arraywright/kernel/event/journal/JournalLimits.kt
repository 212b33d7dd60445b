package dev.arraywright.kernel.event.journal

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * How much a journal keeps.
 *
 * @param segmentBytes a file that has as many is full, and another is begun
 * @param segments files that are kept; of more, the oldest go
 * @param backlog events that may wait for the disk; further ones are not kept
 * @param patience how long the disk may take before [EventJournal.failure] tells, and the pause before it is tried again
 */
public data class JournalLimits(
    public val segmentBytes: Long = 1L shl 20,
    public val segments: Int = 8,
    public val backlog: Int = 4096,
    public val patience: Duration = 2.seconds,
) {
    init {
        require(segmentBytes > 0) { "a segment has a size" }
        require(segments > 0) { "a journal has a segment" }
        require(backlog > 0) { "a journal has a backlog" }
        require(patience.isPositive()) { "a journal has patience" }
    }
}
