package dev.arraywright.raid.repair

import dev.arraywright.raid.array.Progress
import kotlin.time.Duration
import kotlin.time.Instant

/**
 * One filling of a member, from when it was decided to its one terminal [phase].
 *
 * ```
 * phase      what it means                              leaves it on
 * Waiting    its turn has not come                      turn, pause, cancel
 * Running    stripes are being written                  end, pause, cancel, failure
 * Paused     by an operator, or with its array          resume, cancel, failure
 * Complete   the member is in sync, and recorded so     -
 * Failed     ended by a failure, [error] says which     -
 * Cancelled  ended on request; the device is a spare    -
 * ```
 *
 * @property id unique among the rebuilds of a process: the array's name and a number
 * @property failed the device whose place is taken, if it is known
 * @property replacement the device that is filled
 * @property rate bytes a second lately; 0 while nothing moves
 * @property remaining estimated; absent where there is nothing to go by
 * @property spareAtFault when failed: true if [replacement] was the cause, false if it may be tried again
 */
public data class RebuildStatus(
    public val id: String,
    public val array: String,
    public val kind: RebuildKind,
    public val slot: Int,
    public val failed: String?,
    public val replacement: String,
    public val progress: Progress,
    public val rate: Long,
    public val started: Instant,
    public val remaining: Duration?,
    public val phase: RebuildPhase,
    public val error: String? = null,
    public val spareAtFault: Boolean = false,
)

/** What is filled, from what. */
public enum class RebuildKind {
    /** A newcomer in an empty slot, from the other members. */
    REBUILD,

    /** A member that was away: what the write-intent bitmap says it missed. */
    READD,

    /** A newcomer beside a member that still serves: a copy, and then the swap. */
    REPLACE,
}

/** See the table at [RebuildStatus]. */
public enum class RebuildPhase(public val terminal: Boolean) {
    WAITING(false),
    RUNNING(false),
    PAUSED(false),
    COMPLETE(true),
    FAILED(true),
    CANCELLED(true),
}
