package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.SlotState
import kotlinx.coroutines.delay
import kotlin.time.Duration.Companion.seconds

/**
 * What goes wrong with a story's disks: never more than the array's level tolerates, given who works at the moment.
 * Disks that are [failing] do not count as working, whether the array has noticed or not.
 */
internal class Faults(private val story: Simulation) {
    val failing = HashSet<String>()
    private val random get() = story.random
    private val disks get() = story.disks
    private val state get() = story.array.state.value
    private var troubled = false

    /** A member that may go now; null if none may. */
    fun victim(): SlotState? =
        state.let { now -> now.slots.filter { expendable(now, it.slot) }.randomOrNull(random) }

    fun expendable(state: ArrayState, slot: Int): Boolean =
        working(state, slot) && state.geometry.survives { it != slot && working(state, it) }

    /**
     * Reads fail or hang in [places]: not while parity may be wrong, as what is read around them counts there. So many
     * may be more than a policy puts up with; such a member counts as [lost].
     */
    suspend fun trouble(slot: SlotState, hang: Boolean, places: Int = 1, lost: Boolean = false) {
        if (!alone(slot) || failing.isNotEmpty()) return
        if (state.resync != null && (!hang || story.shape.level.parities() > 0)) return
        troubled = true
        val disk = disk(slot)
        if (lost) failing += disk.id
        if (hang) readAround(slot)
        if (hang)
            disk.hangReads = 1 + random.nextInt(2)
        else
            repeat(places) {
                disk.spoil(Simulation.DATA + spot(), 4096)
            }
        story.tally.fault(
            if (hang)
                "reads late"
            else if (places > 1)
                "many read errors"
            else
                "read errors",
        )
    }

    /** A member fails in one of the ways there are. */
    suspend fun lose(slot: SlotState) {
        if (!alone(slot)) return
        val disk = disk(slot)
        failing += disk.id
        readAround(slot)
        if (random.nextInt(5) > 0) {
            breaks(disk)
            // As one does who sees the cable go.
            if (disk.gone && random.nextBoolean()) story.array.deviceGone(disk.id, "unplugged")
        } else {
            story.tally.fault("failed by operator")
            story.array.fail(disk.id)
        }
    }

    /** While redundancy may be wrong, what is read around a member is what counts, if that member is asked or not. */
    private fun readAround(slot: SlotState) {
        story.holes.lose(slot.slot, state, story.model)
        if (state.resync != null) story.model.settles = false
    }

    /** A disk answers no more, or not as it should. */
    fun breaks(disk: SimulatedDisk) {
        failing += disk.id
        val kind = random.nextInt(4)
        when (kind) {
            0 -> disk.gone = true
            1 -> disk.hangWrites = true
            2 -> disk.failWrites = true
            else -> disk.hangReads = 3 + random.nextInt(12)
        }
        story.tally.fault(listOf("gone", "hung", "write errors", "hung reads")[kind])
    }

    /** Well again, and free to go again. */
    fun mended(disk: SimulatedDisk) {
        disk.recover()
        failing -= disk.id
    }

    /** Everything is well again, as after a restart. */
    fun end() {
        failing.clear()
        troubled = false
        for (disk in disks) disk.recover()
    }

    private fun disk(slot: SlotState) = story.disk(slot.deviceId!!)

    private fun spot() = random.nextLong(story.shape.dataSize / 4096) * 4096

    private fun working(state: ArrayState, slot: Int): Boolean = state.slots[slot].run {
        member == MemberState.InSync && deviceId !in failing && replacement?.deviceId !in failing
    }

    /** One failure at a time, and who met the last one may still be at work on it. True if the slot may go now. */
    private suspend fun alone(slot: SlotState): Boolean {
        if (troubled) {
            disks.forEach { it.cure() }
            troubled = false
            delay(if (story.shape.supervised) 30.seconds else 10.seconds)
            // Who was not failed for what he could not read will not be any more.
            failing -= state.slots.mapNotNull { it.deviceId }.filter { story.disk(it).well }.toSet()
        }
        return state.slots[slot.slot].deviceId == slot.deviceId && expendable(state, slot.slot)
    }
}
