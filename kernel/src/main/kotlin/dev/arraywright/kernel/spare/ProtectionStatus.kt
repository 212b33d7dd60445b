package dev.arraywright.kernel.spare

import kotlinx.serialization.Serializable

/** Spares, rebuilds and scrubs at one moment; devices by address, sizes in bytes, times as ISO 8601. */
@Serializable
public data class ProtectionStatus(
    public val spares: List<SpareView> = emptyList(),
    /** Those that have not ended. */
    public val rebuilds: List<RebuildView> = emptyList(),
    /** One an array at most: the one that runs, or the last one's report. */
    public val scrubs: List<ScrubView> = emptyList(),
    /** Shared spares that are wanted and not there, by address. */
    public val awaited: List<String> = emptyList(),
)

/** A spare, shared or dedicated to an [array]; [health] is `ok` or says why it is not known to be. */
@Serializable
public data class SpareView(
    public val address: String,
    public val size: Long,
    public val array: String? = null,
    public val domain: String? = null,
    public val health: String,
    /** When it was last read, written and verified. */
    public val checked: String? = null,
    public val verdicts: List<VerdictView> = emptyList(),
)

/** Whether a spare may serve [array], and why or why not. */
@Serializable
public data class VerdictView(
    public val array: String,
    public val eligible: Boolean,
    public val why: String,
)

/**
 * One filling of a member. [kind] is `rebuild`, `readd` or `replace`; [phase] is `waiting`, `running`, `paused`,
 * `complete`, `failed` or `cancelled`; [rate] is bytes a second lately.
 */
@Serializable
public data class RebuildView(
    public val id: String,
    public val array: String,
    public val kind: String,
    public val slot: Int,
    public val failed: String? = null,
    public val replacement: String,
    public val done: Long,
    public val total: Long,
    public val rate: Long,
    public val started: String,
    /** Absent where there is nothing to go by. */
    public val remainingSeconds: Long? = null,
    public val phase: String,
    public val error: String? = null,
)

/** A scrub; [mode] is `check` or `repair`, phases are those of [RebuildView]. */
@Serializable
public data class ScrubView(
    public val array: String,
    public val mode: String,
    public val done: Long,
    public val total: Long,
    public val mismatches: Long,
    public val repaired: Long,
    public val unreadable: Long,
    /** The first of the mismatches, in order. */
    public val places: List<PlaceView> = emptyList(),
    public val rate: Long,
    public val started: String,
    public val remainingSeconds: Long? = null,
    public val phase: String,
    public val error: String? = null,
)

/** Bytes that disagree, by array [offset]; [wrong] is the slot that is wrong, where P and Q tell. */
@Serializable
public data class PlaceView(
    public val offset: Long,
    public val length: Long,
    public val wrong: Int? = null,
    public val what: String,
)
