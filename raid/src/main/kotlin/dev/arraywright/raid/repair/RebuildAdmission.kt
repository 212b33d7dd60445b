package dev.arraywright.raid.repair

/**
 * Decides whose turn it is. An array asks before it fills a member, and holds its turn until that has ended in any way.
 * Without one an array goes ahead at once.
 */
public interface RebuildAdmission {
    /** Suspends until [status] may run, then runs [action]; the turn ends with it, or with cancellation. */
    public suspend fun <T> turn(status: RebuildStatus, action: suspend () -> T): T

    public companion object {
        /** Everybody at once. */
        public val Open: RebuildAdmission = object : RebuildAdmission {
            override suspend fun <T> turn(status: RebuildStatus, action: suspend () -> T): T = action()
        }
    }
}
