package dev.arraywright.raid.spare

import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.spi.device.AsyncBlockDevice
import java.util.UUID
import kotlin.time.Instant

/** What the supervisors need of the world outside the engine. Thread-safe. */
public interface Surroundings {
    /** Opens a member of a group that was away anew; null while it is not back. Bounded by the caller. */
    public suspend fun reopen(group: String, deviceId: String): AsyncBlockDevice?

    /** A device is not used any more: one that [reopen] gave, or a spare that died. */
    public suspend fun close(device: AsyncBlockDevice)

    /** Why the device is predicted to fail (SMART and the like); null if it is not. Returns at once. */
    public fun health(deviceId: String): String?

    /** The physical device behind an id, so that no two rebuilds run on one; by default each is its own. */
    public fun medium(deviceId: String): String = deviceId

    /** Where scrubs remember how far they came. */
    public val marks: ScrubMarks
}

/** Remembers scrubs across restarts. */
public interface ScrubMarks {
    /** What was saved last for the array; null if nothing was. */
    public suspend fun load(array: UUID): ScrubMark?

    /** Keeps the mark, best on stable storage. */
    public suspend fun save(array: UUID, mark: ScrubMark)
}

/**
 * How far an array's scrub came.
 *
 * @property position member offset that the interrupted one goes on from; 0 if none was interrupted
 * @property mode what the interrupted one does about mismatches
 * @property completed when the last one ended, or when the array was first looked after
 */
public data class ScrubMark(
    public val position: Long,
    public val mode: ScrubMode,
    public val completed: Instant,
)
