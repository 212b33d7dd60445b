package dev.arraywright.raid.pace

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * How far background work may go beside clients.
 *
 * @param priority 0 hardly disturbs clients, 50 keeps their slow requests well within twice of what they take
 *   otherwise, 100 has no regard for them
 * @param floor bytes/s that background work may always have, however slow clients become
 * @param ceiling bytes/s that it never has more of, clients or not; null for none
 * @param pause kept free after each batch while clients are active, unless that would go below the floor
 */
public data class PaceLimits(
    public val priority: Int = 50,
    public val floor: Long = 1L shl 20,
    public val ceiling: Long? = null,
    public val pause: Duration = 1.milliseconds,
) {
    init {
        require(priority in 0..MOST) { "the priority must be from 0 to $MOST, not $priority" }
        require(floor > 0) { "the floor must be above 0 bytes/s, not $floor: without one a rebuild may never end" }
        require(ceiling == null || ceiling >= floor) { "the ceiling ($ceiling bytes/s) is below the floor ($floor)" }
        require(!pause.isNegative() && pause <= 1.seconds) { "the pause must be from 0 to 1 s, not $pause" }
    }

    /** False if nothing is left to be controlled. */
    internal val heedsClients: Boolean get() = priority < MOST && floor != ceiling

    /** By what factor clients may become slower: 1.05 at 0, 1.2 at 25, 1.5 at 50, 2.4 at 75, 5.1 at 90. */
    internal val target: Double get() = 1.05 + 0.45 * priority / (MOST - priority)

    internal companion object {
        const val MOST = 100
    }
}
