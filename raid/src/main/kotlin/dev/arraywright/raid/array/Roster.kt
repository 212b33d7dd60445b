package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.Member
import dev.arraywright.raid.metadata.Superblock

/**
 * A device with a number in the array; [superblock] is what it was last told, give or take progress.
 * [recorded]: bytes that its superblock may call rebuilt.
 */
internal class Seat(
    val member: Member,
    val number: Int,
    val superblock: Superblock,
    val recorded: Long = Superblock.IN_SYNC,
) {
    fun recorded(bytes: Long): Seat = Seat(member, number, superblock, bytes)
}

/**
 * Who sits where; immutable. [out] are failed members that nobody has removed yet, [retired] the numbers of all that
 * ever failed here.
 */
internal data class Roster(
    val slots: List<Seat?>,
    val spares: List<Seat>,
    val out: List<Seat> = emptyList(),
    val retired: Set<Int> = emptySet(),
) {
    /** All that have a superblock to write. */
    val present: List<Seat> get() = slots.filterNotNull() + spares

    fun slotOf(member: Member): Int = slots.indexOfFirst { it?.member === member }

    fun withSlot(slot: Int, seat: Seat?): Roster = copy(slots = slots.toMutableList().also { it[slot] = seat })

    fun failed(slot: Int): Roster {
        val seat = slots[slot] ?: return this
        return withSlot(slot, null).copy(out = out + seat, retired = retired + seat.number)
    }

    /** The roles of all device numbers: slots, spares, and faulty for who had a slot before. */
    fun roles(before: Superblock): IntArray {
        val roles = IntArray(before.maxDev()) { number ->
            before.role(number).let { if (it < before.raidDisks() || number in retired) Superblock.FAULTY else it }
        }
        slots.forEachIndexed { slot, seat -> if (seat != null) roles[seat.number] = slot }
        for (seat in spares) roles[seat.number] = Superblock.SPARE
        return roles
    }

    /** A number for a newcomer: one never used, or else one long out of use. */
    fun freeNumber(before: Superblock): Int? {
        val taken = (present + out).map { it.number }.toSet()
        val free = (0 until before.maxDev()).filter { it !in taken }
        return free.firstOrNull { it !in retired && before.role(it) == Superblock.SPARE } ?: free.firstOrNull()
    }
}
