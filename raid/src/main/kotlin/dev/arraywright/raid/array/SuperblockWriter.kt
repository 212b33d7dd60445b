package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.Buffers
import dev.arraywright.raid.array.io.MemberCall
import dev.arraywright.raid.array.io.callAll
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockDescriptor
import dev.arraywright.spi.device.DeviceIoException
import kotlin.time.Clock
import kotlin.time.toJavaInstant

/** Puts an array's state into its members' superblocks. */
internal class SuperblockWriter(
    private val geometry: Geometry,
    private val blockSize: Int,
    private val buffers: Buffers,
    private val clock: Clock,
) {
    /** Writes and flushes all of them at once; who could not take it is the result. */
    suspend fun write(
        roster: Roster,
        state: ArrayState,
        events: Long,
        synced: Long,
        intent: ByteArray?,
    ): List<Pair<Seat, DeviceIoException>> {
        val seats = roster.present
        val calls = seats.mapIndexed { i, seat ->
            val superblock = superblock(roster, seat, state, events, synced)
            val bytes = superblock.encode(blockSize)
            val position = SuperblockDescriptor.SUPERBLOCK_OFFSET.toLong()
            MemberCall(i, seat.member) { member ->
                // A bitmap older than its superblock counts as stale, so it goes first.
                if (intent != null && seat !in roster.spares) {
                    member.writeMetadata(buffers, intent, position + superblock.bitmapOffset())
                }
                member.writeSuperblock(buffers, bytes, position)
                member.flush()
            }
        }
        return callAll(calls).map { (i, failure) -> seats[i] to failure }
    }

    private fun superblock(roster: Roster, seat: Seat, now: ArrayState, events: Long, synced: Long): Superblock {
        val resync = when {
            !geometry.level().redundant() -> Superblock.IN_SYNC
            !now.clean -> 0
            now.resync == null -> Superblock.IN_SYNC
            else -> synced
        }
        val member = now.slots.getOrNull(roster.slotOf(seat.member))?.member as? MemberState.Rebuilding
        val replaces = roster.replacementOf(seat.member) >= 0
        val filled = if (member != null || replaces) seat.recorded else Superblock.IN_SYNC
        val byBitmap = member?.byBitmap == true && filled != Superblock.IN_SYNC
        var result = seat.superblock.withEvents(events).withUpdated(clock.now().toJavaInstant())
            .withResyncOffset(resync).withRecoveryOffset(filled)
            .withRecoveryByBitmap(byBitmap).withReplacement(replaces)
        roster.roles(seat.superblock).forEachIndexed { number, role ->
            if (result.role(number) != role) result = result.withRole(number, role)
        }
        return result
    }
}
