package dev.arraywright.raid.repair

import dev.arraywright.raid.array.Progress
import kotlin.time.Duration
import kotlin.time.Instant

/**
 * One pass over an array that compares redundancy with data; phases as at [RebuildStatus], without waiting.
 *
 * @property mismatches how many rows of blocks disagreed
 * @property repaired how many of these agree now
 * @property unreadable how many member reads failed on the way; what the level can, it cured
 * @property places the first [LISTED] mismatches, in order
 * @property remaining estimated; absent where there is nothing to go by
 */
public data class ScrubStatus(
    public val array: String,
    public val mode: ScrubMode,
    public val progress: Progress,
    public val mismatches: Long,
    public val repaired: Long,
    public val unreadable: Long,
    public val places: List<Mismatch>,
    public val rate: Long,
    public val started: Instant,
    public val remaining: Duration?,
    public val phase: RebuildPhase,
    public val error: String? = null,
) {
    public companion object {
        /** How many places a report has at most. */
        public const val LISTED: Int = 1000
    }
}

/** What a scrub does about a mismatch. */
public enum class ScrubMode {
    /** Nothing: counts and places only. */
    CHECK,

    /** Writes what is wrong anew: the member that P and Q convict, else parity or the later copies, as md does. */
    REPAIR,
}

/**
 * Bytes that disagree.
 *
 * @property offset array offset of the first data byte concerned
 * @property length bytes of each member
 * @property wrong the slot that is wrong, where P and Q tell; null where nobody can
 * @property what for people: which shard, or that it cannot be told
 */
public data class Mismatch(
    public val offset: Long,
    public val length: Long,
    public val wrong: Int?,
    public val what: String,
)
