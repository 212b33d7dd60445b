package dev.arraywright.kernel

import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import java.util.UUID

/** An array at one moment; sizes in bytes. What the command line prints and the admin surface sends. */
@Serializable
public data class ArrayStatus(
    public val name: String,
    /** In md's own form, four groups of eight digits. */
    public val uuid: String,
    /** As mdadm writes it: `raid6`. */
    public val level: String,
    public val size: Long,
    /** Bytes of one chunk; 0 where the level has none. */
    public val chunk: Int,
    public val health: ArrayHealth,
    /** False once every write that was acknowledged is in parity and mirrors, and the superblocks say so. */
    public val dirty: Boolean,
    /** The superblocks' event counter. */
    public val events: Long,
    public val members: List<MemberStatus>,
    public val activity: Activity? = null,
)

/** What an array can still do. */
@Serializable
public enum class ArrayHealth {
    /** Every member in place. */
    @SerialName("optimal")
    OPTIMAL,

    /** Serves everything, with less redundancy than its level promises. */
    @SerialName("degraded")
    DEGRADED,

    /** Past its tolerance: refuses writes. */
    @SerialName("failed")
    FAILED,

    /** Serves nothing. */
    @SerialName("stopped")
    STOPPED,
}

/** One member: its [slot] (absent for a spare or one that was thrown out), [address] (absent where none is there). */
@Serializable
public data class MemberStatus(
    public val slot: Int? = null,
    public val address: String? = null,
    /** `in-sync`, `rebuilding`, `faulty`, `missing` or `spare`. */
    public val state: String,
    /** Why it is so, where there is more to say. */
    public val detail: String? = null,
)

/** What an array does besides serving: [kind] is `resync` or `rebuild`; [done] of [total] bytes of a member. */
@Serializable
public data class Activity(
    public val kind: String,
    public val done: Long,
    public val total: Long,
)

/** The engine's state in the words of operators; [address] tells where a device id is. */
internal fun ArrayState.toStatus(name: String, uuid: UUID, address: (String) -> String?): ArrayStatus =
    ArrayStatus(
        name = name,
        uuid = uuid.toString().replace("-", "").chunked(8).joinToString(":"),
        level = geometry.level().toString(),
        size = geometry.arraySize(),
        chunk = geometry.chunk(),
        health = when (phase) {
            is ArrayPhase.Stopped -> ArrayHealth.STOPPED
            is ArrayPhase.Failed -> ArrayHealth.FAILED
            else -> if (missing > 0) ArrayHealth.DEGRADED else ArrayHealth.OPTIMAL
        },
        dirty = !clean,
        events = events,
        members = slots.map { slot ->
            val at = slot.deviceId?.let { address(it) ?: it }
            when (val member = slot.member) {
                is MemberState.InSync -> MemberStatus(slot.slot, at, "in-sync")
                is MemberState.Rebuilding -> MemberStatus(slot.slot, at, "rebuilding")
                is MemberState.Faulty -> MemberStatus(slot.slot, at, "faulty", member.cause)
                is MemberState.Missing -> MemberStatus(slot.slot, null, "missing")
            }
        } + spares.map { MemberStatus(null, address(it) ?: it, "spare") },
        activity = activity(),
    )

private fun ArrayState.activity(): Activity? = when (val now = phase) {
    is ArrayPhase.Resyncing -> Activity("resync", now.progress.done, now.progress.total)
    is ArrayPhase.Rebuilding -> Activity("rebuild", now.progress.done, now.progress.total)
    else -> null
}
