package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.Member
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockDescriptor
import dev.arraywright.spi.device.DeviceIoException

/*
 * Who takes whose place. All of this runs where the supervisor changes state; each step is in the superblocks before
 * it counts, and a step that a device fails on ends with that device out and the others as they were.
 */

/** Lets spares of the array take empty slots, if they do so by themselves. */
internal suspend fun ArraySupervisor.promote() {
    while (promotes) {
        val now = state.value
        val slot = now.slots.firstOrNull { !it.member.takesWrites && it.slot !in held }?.slot ?: return
        val seat = roster.spares.firstOrNull() ?: return
        if (now.failure != null || now.stopped || !geometry.level().redundant()) return
        seat(slot, seat)
    }
}

/** A spare takes an empty slot; false if it could not be written to. */
internal suspend fun ArraySupervisor.seat(slot: Int, seat: Seat): Boolean {
    val own = seat.anew()
    if (!place(seat, own) { it.withSlot(slot, own) }) return false
    record(ArrayEvent.RebuildStarted(slot, own.member.id, 0))
    return roster.slots[slot]?.member === own.member
}

/** A spare is filled beside the member in a slot; false if it could not be written to. */
internal suspend fun ArraySupervisor.seatBeside(slot: Int, seat: Seat): Boolean {
    val own = seat.anew()
    if (!place(seat, own) { it.withReplacement(slot, own) }) return false
    record(ArrayEvent.ReplacementStarted(slot, own.member.id, 0))
    // It has the slot already if the member failed on the way.
    return roster.replacements[slot]?.member === own.member || roster.slots[slot]?.member === own.member
}

/** A member that was away comes back into its own slot; false if it could not be written to. */
internal suspend fun ArraySupervisor.seatAgain(slot: Int, seat: Seat, byBitmap: Boolean): Boolean {
    val before = roster
    val own = seat.recorded(0)
    own.member.rebuilt = 0
    reseat(before.returned(slot, own))
    if (!writeIntent(own)) {
        reseat(before)
        return false
    }
    record(ArrayEvent.RebuildStarted(slot, own.member.id, 0, byBitmap))
    return roster.slots[slot]?.member === own.member
}

/**
 * Moves a spare; one that cannot take the bitmap is none any more. It has its place before it gets the bitmap, so that
 * a bit set meanwhile goes there too.
 */
private suspend fun ArraySupervisor.place(spare: Seat, own: Seat, move: (Roster) -> Roster): Boolean {
    val without = roster.copy(spares = roster.spares - spare)
    reseat(move(without))
    if (writeIntent(own)) return true
    reseat(without.copy(retired = without.retired + own.number))
    record(ArrayEvent.SpareGone(own.member.id))
    return false
}

/** The one that is filled in a slot becomes a spare again; [cause] is null if somebody asked for it. */
internal suspend fun ArraySupervisor.callOff(slot: Int, cause: String?) {
    val replacement = roster.replacements[slot]
    val rebuilding = roster.slots[slot]?.takeIf { state.value.slots[slot].member is MemberState.Rebuilding }
    val seat = replacement ?: rebuilding ?: return
    reseat(roster.spared(seat))
    held += slot
    record(
        if (replacement != null)
            ArrayEvent.ReplacementEnded(slot, cause, spareAtFault = false)
        else
            ArrayEvent.RebuildEnded(slot, cause),
    )
}

/** A new seat for a device, as a spare; it is in the array once recorded. Null if every number is in use. */
internal fun ArraySupervisor.admit(member: Member, make: (Superblock, Int) -> Superblock): Seat? {
    val before = roster.present.firstOrNull()?.superblock ?: return null
    val number = roster.freeNumber(before) ?: return null
    val fresh = make(before, number).withRecoveryOffset(Superblock.IN_SYNC)
        .withRecoveryByBitmap(false).withReplacement(false)
    val seat = Seat(member, number, fresh)
    reseat(roster.copy(spares = roster.spares + seat))
    return seat
}

/** Takes a spare or a device that is out away from the array and returns it. */
internal suspend fun ArraySupervisor.release(deviceId: String): Member? {
    val spare = roster.spare(deviceId)
    val out = roster.out.firstOrNull { it.member.id == deviceId }
    if (spare != null) {
        reseat(roster.copy(spares = roster.spares - spare))
        record(ArrayEvent.SpareGone(deviceId))
    } else if (out != null) {
        reseat(roster.copy(out = roster.out - out))
        publish(ArrayEvent.DeviceReleased(deviceId))
    }
    return (spare ?: out)?.member
}

/** Writes the whole bitmap to a device; false if it cannot take it. */
internal suspend fun ArraySupervisor.writeIntent(seat: Seat): Boolean {
    val intent = intent ?: return true
    val start = SuperblockDescriptor.SUPERBLOCK_OFFSET + seat.superblock.bitmapOffset()
    return try {
        intent.seeding { blocks ->
            for (block in blocks) seat.member.writeMetadata(buffers, block.bytes, start + block.offset)
            seat.member.flush()
        }
        true
    } catch (failure: DeviceIoException) {
        publish(ArrayEvent.ErrorSeen(failure.message ?: failure.toString()))
        false
    }
}
