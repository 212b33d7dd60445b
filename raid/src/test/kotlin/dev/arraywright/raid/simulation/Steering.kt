package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.OutDevice
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.repair.ScrubMode
import kotlinx.coroutines.delay
import kotlin.random.Random

/** What an operator, or who stands in for one, does to an array that runs. */
class Steering(
    private val random: Random,
    private val disks: List<SimulatedDisk>,
    private val failing: MutableSet<String>,
    private val array: () -> RaidArray,
    private val note: (String) -> Unit,
) {
    /** A member that was unplugged is plugged in again. Its old connection is closed first, as an opener does. */
    suspend fun returns() {
        val out = array().state.value.out.filter { it.kind == OutDevice.Kind.FAILED }.randomOrNull(random) ?: return
        val disk = disks.first { it.id == out.deviceId }
        if (!disk.gone) return
        val device = disk.reopen()
        try {
            val byBitmap = array().readd(device)
            failing -= disk.id
            note("${disk.id} is back, by bitmap $byBitmap")
        } catch (refused: ArrayException) {
            note("${disk.id} is not taken back: ${refused.why}")
            device.close()
        }
    }

    suspend fun replace(deviceId: String?) {
        val spare = array().state.value.spares.firstOrNull() ?: return
        attempt("replace $deviceId by $spare") { array().replace(deviceId ?: return, spare, "worn") }
    }

    /** Rebuilds are held, called off and begun again, and redundancy is looked at meanwhile. */
    suspend fun rebuild() {
        val status = array().repair.rebuild.value?.takeIf { !it.phase.terminal }
        if (status == null) {
            val empty = array().state.value.slots.firstOrNull { !it.member.takesWrites }?.slot
            val spare = array().state.value.spares.firstOrNull()
            if (empty != null && spare != null) attempt("rebuild $empty") { array().rebuild(empty, spare) }
            attempt("scrub") { array().scrubs.start(ScrubMode.entries[random.nextInt(2)]) }
            return
        }
        when (random.nextInt(3)) {
            0 -> attempt("cancel ${status.id}") { array().repair.cancel(status.id) }
            else -> attempt("pause ${status.id}") {
                array().repair.pause(status.id)
                delay(random.nextLong(20))
                array().repair.resume(status.id)
            }
        }
    }

    private suspend inline fun attempt(what: String, action: () -> Unit) {
        try {
            action()
            note(what)
        } catch (refused: ArrayException) {
            note("no $what: ${refused.why}")
        }
    }
}
