package dev.arraywright.kernel

import dev.arraywright.kernel.spare.RebuildView
import dev.arraywright.kernel.spare.toView
import dev.arraywright.raid.array.ArrayPhase
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.OutDevice
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.array.SlotState
import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable

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
    /** What is being filled, and how far it is. */
    public val rebuilds: List<RebuildView> = emptyList(),
    /** Absent where there is none. */
    public val bitmap: BitmapView? = null,
)

/** A write-intent bitmap: bytes that a bit stands for, the bits, and those that are set. */
@Serializable
public data class BitmapView(
    public val chunk: Long,
    public val chunks: Int,
    public val dirty: Int,
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

/** One member: its [slot] (absent for whoever has none of its own), [address] (absent where none is there). */
@Serializable
public data class MemberStatus(
    public val slot: Int? = null,
    public val address: String? = null,
    /**
     * `in-sync`, `rebuilding`, `faulty`, `missing` or `spare`; `replacing` is filled beside a member that serves, and
     * `replaced` was one, until it is removed.
     */
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
internal fun statusOf(name: String, raid: RaidArray, address: (String) -> String?): ArrayStatus {
    val state = raid.state.value
    val at = { id: String -> address(id) ?: id }
    return ArrayStatus(
        name = name,
        uuid = raid.uuid.toString().replace("-", "").chunked(8).joinToString(":"),
        level = state.geometry.level().toString(),
        size = state.geometry.arraySize(),
        chunk = state.geometry.chunk(),
        health = when (state.phase) {
            is ArrayPhase.Stopped -> ArrayHealth.STOPPED
            is ArrayPhase.Failed -> ArrayHealth.FAILED
            else -> if (state.missing > 0) ArrayHealth.DEGRADED else ArrayHealth.OPTIMAL
        },
        dirty = !state.clean,
        events = state.events,
        members = state.slots.map { it.toStatus(at) } + state.beside(at) +
            state.spares.map { MemberStatus(null, at(it), "spare") } + state.left(at),
        activity = state.activity(),
        rebuilds = listOfNotNull(raid.repair.rebuild.value?.takeIf { !it.phase.terminal }?.toView(name, at)),
        bitmap = raid.bitmap?.let { BitmapView(it.chunk, it.chunks, it.dirty) },
    )
}

private fun SlotState.toStatus(at: (String) -> String): MemberStatus {
    val address = deviceId?.let(at)
    return when (val now = member) {
        is MemberState.InSync -> MemberStatus(slot, address, "in-sync")
        is MemberState.Rebuilding -> MemberStatus(slot, address, "rebuilding")
        is MemberState.Faulty -> MemberStatus(slot, address, "faulty", now.cause)
        is MemberState.Missing -> MemberStatus(slot, null, "missing")
    }
}

private fun ArrayState.beside(at: (String) -> String): List<MemberStatus> = slots.mapNotNull { slot ->
    slot.replacement?.let {
        MemberStatus(null, at(it.deviceId), "replacing", "takes slot ${slot.slot} when it is filled")
    }
}

/** Those that are out, and were not let go of yet. */
private fun ArrayState.left(at: (String) -> String): List<MemberStatus> =
    out.filter { device -> slots.none { it.deviceId == device.deviceId } }.map {
        val state = if (it.kind == OutDevice.Kind.REPLACED) "replaced" else "faulty"
        MemberStatus(null, at(it.deviceId), state, it.cause)
    }

private fun ArrayState.activity(): Activity? = when (val now = phase) {
    is ArrayPhase.Resyncing -> Activity("resync", now.progress.done, now.progress.total)
    is ArrayPhase.Rebuilding -> Activity("rebuild", now.progress.done, now.progress.total)
    else -> slots.firstNotNullOfOrNull {
        it.replacement
    }?.let { Activity("rebuild", it.progress.done, it.progress.total) }
}
