package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.OutDevice
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.repair.ScrubMode
import kotlinx.coroutines.delay

/** An array by itself, and what an operator, or who stands in for one, does to it. */
internal class Steering(private val story: Simulation) : Caretaker {
    private val random get() = story.random
    private val disks get() = story.disks
    private val array: RaidArray get() = story.array

    override suspend fun takeOver() = Unit

    override suspend fun quiet() = Unit

    override suspend fun leave() = Unit

    override fun dark() = Unit

    override suspend fun mishap() {
        val state = array.state.value
        val victim = story.faults.victim()
        val kind = random.nextInt(10)
        story.note { "mishap $kind to ${victim?.deviceId} in ${state.phase}" }
        when (kind) {
            0, 1 -> victim?.let { story.faults.lose(it) }
            2, 3 -> victim?.let { story.faults.trouble(it, hang = kind == 3) }
            4 -> if (disks.size < story.shape.members + 5) array.add(story.newDisk().open())
            5 -> state.slots.firstOrNull { it.member is MemberState.Faulty }?.deviceId?.let { array.remove(it) }
            6, 7 -> returns()
            8 -> replace(victim?.deviceId)
            else -> rebuild()
        }
    }

    /** A member that was unplugged is plugged in again. Its old connection is closed first, as an opener does. */
    private suspend fun returns() {
        val out = array.state.value.out.filter { it.kind == OutDevice.Kind.FAILED }.randomOrNull(random) ?: return
        val disk = story.disk(out.deviceId)
        if (!disk.gone) return
        val device = disk.reopen()
        try {
            val byBitmap = array.readd(device)
            story.faults.failing -= disk.id
            story.note { "${disk.id} is back, by bitmap $byBitmap" }
        } catch (refused: ArrayException) {
            story.note { "${disk.id} is not taken back: ${refused.why}" }
            device.close()
        }
    }

    private suspend fun replace(deviceId: String?) {
        val spare = array.state.value.spares.firstOrNull() ?: return
        story.attempt("replace $deviceId by $spare") { array.replace(deviceId ?: return, spare, "worn") }
    }

    /** Rebuilds are held, called off and begun again, and redundancy is looked at meanwhile. */
    private suspend fun rebuild() {
        val status = array.repair.rebuild.value?.takeIf { !it.phase.terminal }
        if (status == null) {
            val empty = array.state.value.slots.firstOrNull { !it.member.takesWrites }?.slot
            val spare = array.state.value.spares.firstOrNull()
            if (empty != null && spare != null) story.attempt("rebuild $empty") { array.rebuild(empty, spare) }
            story.attempt("scrub") { array.scrubs.start(ScrubMode.entries[random.nextInt(2)]) }
            return
        }
        when (random.nextInt(3)) {
            0 -> story.attempt("cancel ${status.id}") { array.repair.cancel(status.id) }
            else -> story.attempt("pause ${status.id}") {
                array.repair.pause(status.id)
                delay(random.nextLong(20))
                array.repair.resume(status.id)
            }
        }
    }
}
