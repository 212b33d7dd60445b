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

    /** For a new place, where nothing is filled yet. */
    fun anew(): Seat = Seat(member.anew().also { it.rebuilt = 0 }, number, superblock, 0)
}

/**
 * Who sits where; immutable. [replacements] are filled beside who has the slot, [out] are those that had one and were
 * not let go yet, [retired] the numbers of all that ever went out here.
 */
internal data class Roster(
    val slots: List<Seat?>,
    val spares: List<Seat>,
    val replacements: List<Seat?> = slots.map { null },
    val out: List<Seat> = emptyList(),
    val retired: Set<Int> = emptySet(),
) {
    /** All that have a superblock to write. */
    val present: List<Seat> get() = slots.filterNotNull() + replacements.filterNotNull() + spares

    fun slotOf(member: Member): Int = slots.indexOfFirst { it?.member === member }

    fun replacementOf(member: Member): Int = replacements.indexOfFirst { it?.member === member }

    fun spare(deviceId: String): Seat? = spares.firstOrNull { it.member.id == deviceId }

    fun withSlot(slot: Int, seat: Seat?): Roster = copy(slots = slots.with(slot, seat))

    fun withReplacement(slot: Int, seat: Seat?): Roster = copy(replacements = replacements.with(slot, seat))

    /** The slot's device goes out; one that was being filled beside it takes its place. */
    fun failed(slot: Int): Roster {
        val seat = slots[slot] ?: return this
        return withSlot(slot, replacements[slot]).withReplacement(slot, null).out(seat)
    }

    fun replacementFailed(slot: Int): Roster {
        val seat = replacements[slot] ?: return this
        return withReplacement(slot, null).out(seat)
    }

    /** A slot's device, or a replacement, becomes a spare again. */
    fun spared(seat: Seat): Roster = copy(
        slots = slots.map { it.takeIf { it !== seat } },
        replacements = replacements.map { it.takeIf { it !== seat } },
        spares = spares + seat.recorded(Superblock.IN_SYNC),
    )

    /** A device that was out, or is new, comes (back) into a slot under its own number. */
    fun returned(slot: Int, seat: Seat): Roster = withSlot(slot, seat).copy(
        out = out.filter { it.number != seat.number },
        retired = retired - seat.number,
    )

    /** The roles of all device numbers: slots, spares, and faulty for who had a slot before. */
    fun roles(before: Superblock): IntArray {
        val roles = IntArray(before.maxDev()) { number ->
            before.role(number).let { if (it < before.raidDisks() || number in retired) Superblock.FAULTY else it }
        }
        for (seats in listOf(slots, replacements)) {
            seats.forEachIndexed { slot, seat -> if (seat != null) roles[seat.number] = slot }
        }
        for (seat in spares) roles[seat.number] = Superblock.SPARE
        return roles
    }

    /** A number for a newcomer: one never used, or else one long out of use. */
    fun freeNumber(before: Superblock): Int? {
        val taken = (present + out).map { it.number }.toSet()
        val free = (0 until before.maxDev()).filter { it !in taken }
        return free.firstOrNull { it !in retired && before.role(it) == Superblock.SPARE } ?: free.firstOrNull()
    }

    private fun out(seat: Seat): Roster = copy(out = out + seat, retired = retired + seat.number)

    private fun List<Seat?>.with(slot: Int, seat: Seat?): List<Seat?> = toMutableList().also { it[slot] = seat }
}
