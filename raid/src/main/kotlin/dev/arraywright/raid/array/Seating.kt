package dev.arraywright.raid.array

import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.metadata.Superblock

/** Who of the members found sits where, by their superblocks' word. */
internal class Seating(
    runtime: ArrayRuntime,
    private val newest: Superblock,
    private val geometry: Geometry,
    members: List<Found>,
) {
    val observers = Observers()
    private val placed = (0 until geometry.members()).map { slot -> members.filter { it.superblock.role() == slot } }

    /** One that was replacing a member that is not here is the member now. */
    private val slots = placed.map { all -> all.firstOrNull { !it.superblock.isReplacement } ?: all.firstOrNull() }
    private val replacements = placed.mapIndexed { slot, all ->
        all.firstOrNull { it.superblock.isReplacement && it !== slots[slot] }
    }
    private val spares = members.filter { it.superblock.role() == Superblock.SPARE }
    private val seats = members.associateWith { found ->
        val member = runtime.member(found.device, found.superblock.dataOffset(), observers)
        val recovered = recovered(found)
        member.rebuilt = recovered
        Seat(member, found.superblock.devNumber(), found.superblock, recovered)
    }

    /** Slots without a member that is in sync. */
    val missing: Int get() = slots.count { it == null || recovered(it) != Superblock.IN_SYNC }

    /** The members that have every byte, most current first. */
    fun whole(): List<Found> =
        slots.filterNotNull().filter {
            recovered(it) == Superblock.IN_SYNC
        }.sortedByDescending { it.superblock.events() }

    fun roster(): Roster =
        Roster(slots.map { seats[it] }, spares.map { seats.getValue(it) }, replacements.map { seats[it] })

    /** [bitmap]: what a bitmap says a returned member missed can be relied upon. */
    fun state(resync: Progress?, bitmap: Boolean): ArrayState = ArrayState(
        geometry = geometry,
        slots = slots.mapIndexed { slot, found ->
            val beside = replacements[slot]?.let { Replacement(it.id, progress(recovered(it))) }
            SlotState(slot, found?.id, memberState(found, bitmap), beside)
        },
        spares = spares.map { it.id },
        clean = true,
        resync = resync,
        failure = null,
        stopped = false,
        events = newest.events(),
        lastError = null,
    )

    private fun memberState(found: Found?, bitmap: Boolean): MemberState {
        val recovered = found?.let(::recovered) ?: return MemberState.Missing
        return if (recovered == Superblock.IN_SYNC)
            MemberState.InSync
        else
            MemberState.Rebuilding(progress(recovered), bitmap && found.superblock.recoveryByBitmap())
    }

    private fun progress(recovered: Long) =
        Progress(minOf(recovered, geometry.componentSize()), geometry.componentSize())

    /**
     * After a crash one that is filled beside a member may have other bytes of the last writes than that one, which the
     * resync goes by: it is filled anew.
     */
    private fun recovered(found: Found): Long =
        if (found in replacements && !newest.clean()) 0 else found.superblock.recoveryOffset()
}
