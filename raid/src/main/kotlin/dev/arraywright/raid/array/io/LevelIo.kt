package dev.arraywright.raid.array.io

import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.codec.Parity
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.repair.Mismatch
import dev.arraywright.spi.device.DeviceIoException
import java.nio.ByteBuffer

/** What a family of levels does with one stripe; [Piece]s lie within a stripe. */
internal interface LevelIo {
    /** Fills [target]'s remaining bytes from the piece. */
    suspend fun read(piece: Piece, target: ByteBuffer)

    /**
     * Writes [source]'s remaining bytes to the piece. When it returns they are on every member that takes writes, and
     * every other member is recorded as failed on the rest. Once members are being written it cannot be cancelled.
     */
    suspend fun write(piece: Piece, source: ByteBuffer)

    /** Makes a whole stripe zero, on the same terms. */
    suspend fun zero(stripe: Long)

    /** Makes the redundancy of these columns of a stripe agree with its data; waits for their lock. */
    suspend fun resync(stripe: Long, from: Int, until: Int)

    /** Writes [slot]'s part of these columns anew from the others; waits for their lock. False if nobody is there. */
    suspend fun rebuild(stripe: Long, slot: Int, from: Int, until: Int): Boolean

    /** Writes these columns of [slot] to the replacement beside its member; waits for their lock. False if there is none. */
    suspend fun copy(stripe: Long, slot: Int, from: Int, until: Int): Boolean

    /** Compares the redundancy of these columns with their data, and makes it agree if [repair]. */
    suspend fun scrub(stripe: Long, from: Int, until: Int, repair: Boolean): RowReport
}

/**
 * What a scrub found in one row: [mismatches] in blocks of its own size, [unreadable] member reads that failed, [held]
 * false if there was nothing to compare, as members were missing.
 */
internal class RowReport(
    val mismatches: List<Mismatch> = emptyList(),
    val repaired: Int = 0,
    val unreadable: Int = 0,
    val held: Boolean = true,
)

/** Bytes [from] until [until] of a stripe's part of the array's address space, which is not empty. */
internal class Piece(val stripe: Long, val from: Int, val until: Int) {
    val length: Int get() = until - from
}

/**
 * The members at one moment. I/O takes a view after it has the lock and stays with it; what it did is acknowledged
 * only once the members of that view are recorded, see [Engine.settle].
 */
internal class View(
    val state: ArrayState,
    val members: List<Member?>,
    val replacements: List<Member?>,
    val version: Long,
) {
    /** The member, if its bytes below member offset [end] may be read. */
    fun readable(slot: Int, end: Long): Member? = members[slot]?.takeIf {
        val member = state.slots[slot].member
        member == MemberState.InSync || (member is MemberState.Rebuilding && it.rebuilt >= end)
    }

    /** The member, if writes go to it. */
    fun writable(slot: Int): Member? = members[slot]?.takeIf { state.slots[slot].member.takesWrites }

    /** Who is filled beside the slot's member; every write to the slot goes there too, see [commit]. */
    fun replacement(slot: Int): Member? = replacements[slot]?.takeIf { state.slots[slot].replacement != null }

    /** All that writes go to. */
    fun writables(): List<Member> = members.indices.flatMap { listOfNotNull(writable(it), replacement(it)) }
}

/**
 * Runs [action] with [first], and once more with the members as they are by then if it met bytes that nobody had but
 * members have come or recovered meanwhile.
 */
internal inline fun <T> Engine.withView(first: View, action: (View) -> T): T = try {
    action(first)
} catch (lost: DeviceIoException.MediumErrorException) {
    val now = view
    if (now === first) throw lost
    action(now)
}

/** What the levels work with. */
internal interface Engine {
    val geometry: Geometry
    val buffers: Buffers
    val locks: StripeLocks
    val parity: Parity

    /** Unit of every transfer: the largest logical block of a member. */
    val blockSize: Int

    /** The members now. */
    val view: View

    /** True if redundancy is known to agree with the data in the stripe. */
    fun synced(stripe: Long): Boolean

    /** The members now, for writing to; throws what the client is to see if the array takes no writes. */
    fun viewToWrite(): View

    /** Fails the member for good; returns when the others' superblocks say so, or the array has failed. */
    suspend fun fail(member: Member, cause: DeviceIoException)

    /** A read failed: decides whether that costs the member its place. */
    suspend fun readFailed(member: Member, cause: DeviceIoException)

    /** Returns once [view]'s members are recorded on stable storage; throws if the array fails instead. */
    suspend fun settle(view: View)

    /** What the client sees of bytes that no member has. */
    fun unreadable(offset: Long, length: Int, cause: DeviceIoException?): DeviceIoException
}
