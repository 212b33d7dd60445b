package dev.arraywright.raid.spare

import dev.arraywright.spi.device.DeviceType
import kotlin.time.Instant

/**
 * What is known of a spare.
 *
 * @property dedicatedTo the group that it is a spare of; null for the shared pool
 * @property verdicts for each group that it could serve, whether it is eligible and why
 */
public data class SpareStatus(
    public val id: String,
    public val size: Long,
    public val type: DeviceType,
    public val domain: String?,
    public val dedicatedTo: String?,
    public val health: SpareHealth,
    public val verdicts: Map<String, SpareVerdict>,
)

/** Whether a spare may be used for a group, and why or why not; for people. */
public data class SpareVerdict(public val eligible: Boolean, public val why: String)

/** What a spare's last check told. A dead spare is not among the spares any more. */
public sealed interface SpareHealth {
    /** A check is under way; it cannot be used until that has ended. */
    public data object Checking : SpareHealth

    /** Not checked yet. */
    public data object Unchecked : SpareHealth

    /** Passed its check at [checked]. */
    public data class Good(public val checked: Instant) : SpareHealth
}
