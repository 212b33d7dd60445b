package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.simulation.Supervision.Companion.GROUP
import kotlinx.coroutines.delay
import kotlin.time.Duration.Companion.milliseconds

/** What happens to an array that is looked after, and what its operator does meanwhile. */
internal class Happenings(private val story: Simulation, private val side: Supervision) {
    private val random get() = story.random
    private val faults get() = story.faults
    private val array get() = story.array
    private val manager get() = side.manager

    suspend fun next() {
        val kind = random.nextInt(KINDS)
        story.note { "mishap $kind in ${array.state.value.phase}" }
        when (kind) {
            0, 1, 2 -> faults.victim()?.let { victim -> story.attempt("loss of $victim") { faults.lose(victim) } }
            3, 4, 5 -> returns()
            6 -> faults.victim()?.let { faults.trouble(it, hang = random.nextBoolean(), lost = true) }
            7 -> faults.victim()?.let { faults.trouble(it, hang = false, places = 1 + random.nextInt(8), lost = true) }
            8 -> slow()
            9 -> warn()
            10 -> spareDies()
            11 -> rebuildDies()
            12 -> newSpare()
            13 -> stray()
            14, 15 -> steer()
            16 -> order()
            17 -> scrub()
            else -> manager.policyChanged(Policies.any(random))
        }
    }

    /** One that is out is plugged in again, and may be gone again soon. */
    private suspend fun returns() {
        val out = array.state.value.out.map { it.deviceId } + faults.failing.filter { it in side.pool }
        val id = out.filter { !serves(it) && !story.disk(it).well }.randomOrNull(random)
        if (id == null) return array.flush()
        val disk = story.disk(id)
        faults.mended(disk)
        story.tally.fault("back")
        if (random.nextBoolean()) manager.deviceReturned(id)
        if (random.nextInt(3) > 0) return
        delay(random.nextLong(if (random.nextBoolean()) 50 else 3000))
        if (!serves(id)) {
            faults.breaks(disk)
        } else {
            array.state.value.slots.firstOrNull { it.deviceId == id && it.member == MemberState.InSync }
                ?.let { story.attempt("$id gone again") { faults.lose(it) } }
        }
    }

    private fun serves(id: String) = array.state.value.let { now ->
        id in now.spares || now.slots.any {
            (it.member.takesWrites && it.deviceId == id) || it.replacement?.deviceId == id
        }
    }

    private fun slow() {
        val slow = story.disks.firstOrNull { it.slowness > 0 }
        if (slow != null) slow.slowness = 0
        if (slow != null && random.nextBoolean()) return
        val members = array.state.value.slots.filter { it.member == MemberState.InSync }.mapNotNull { it.deviceId }
        story.disk(members.randomOrNull(random) ?: return).slowness = random.nextLong(20, 100) * 1_000_000
        story.tally.fault("slow")
    }

    private fun warn() {
        val id = array.state.value.slots.mapNotNull { it.deviceId }.randomOrNull(random) ?: return
        if (side.sick.remove(id) != null) return
        side.sick[id] = "a warning"
        story.tally.fault("warning")
    }

    private fun spareDies() {
        val spares = array.state.value.spares + side.pool.filterNot(side::inArray)
        faults.breaks(story.disk(spares.randomOrNull(random) ?: return))
        story.tally.fault("spare died")
    }

    /** Not one that would be the last to have the bytes once it takes its place. */
    private fun rebuildDies() {
        val now = array.state.value
        val filled = now.slots.mapNotNull { slot ->
            slot.deviceId.takeIf { slot.member is MemberState.Rebuilding }
                ?: slot.replacement?.deviceId?.takeIf { faults.expendable(now, slot.slot) }
        }
        faults.breaks(story.disk(filled.randomOrNull(random) ?: return))
        story.tally.fault("died in a rebuild")
    }

    private suspend fun newSpare() {
        if (story.disks.size > story.shape.members + MOST) return
        val small = random.nextInt(4) == 0
        if (small) story.tally.fault("spare too small")
        val disk = story.newDisk(if (small) SHORT else 0)
        if (random.nextBoolean())
            side.offer(disk)
        else
            story.attempt("${disk.id} is a spare of the array") { array.add(disk.open(), force = true) }
    }

    /** A disk that has no use: one that was replaced or failed, or was not there when the array was assembled. */
    private suspend fun stray() {
        val replaced = array.state.value.out.map { it.deviceId }
        val idle = story.disks.map { it.id }.filter { !side.inArray(it) && it !in side.pool }
        val id = (replaced + idle).filter { story.disk(it).well }.randomOrNull(random) ?: return
        val disk = story.disk(id)
        if (id in replaced) story.attempt("$id is taken away") { array.remove(id) }
        if (side.inArray(id)) return
        if (random.nextBoolean())
            side.offer(disk)
        else
            story.attempt("$id is re-added by hand") { array.readd(disk.reconnect()) }
    }

    private suspend fun steer() {
        val status = manager.activeRebuilds.value.randomOrNull(random) ?: return
        when (random.nextInt(3)) {
            0 -> story.attempt("cancel ${status.id}") {
                side.calledOff += status.slot
                manager.cancelRebuild(status.id)
            }
            1 -> story.attempt("pause ${status.id}") { manager.pauseRebuild(status.id) }
            else -> story.attempt("pause ${status.id} a while") {
                manager.pauseRebuild(status.id)
                delay(random.nextLong(500))
                manager.resumeRebuild(status.id)
            }
        }
    }

    private suspend fun order() {
        val slot = array.state.value.slots.random(random)
        val spare = if (random.nextBoolean()) null else manager.spares.value.randomOrNull(random)?.id
        if (slot.member == MemberState.InSync && random.nextInt(4) > 0)
            story.attempt("replace ${slot.deviceId} by $spare") { manager.replace(GROUP, slot.deviceId!!, spare) }
        else
            story.attempt("rebuild ${slot.slot} onto $spare") { manager.forceRebuild(GROUP, slot.slot, spare) }
    }

    private suspend fun scrub() {
        delay(1.milliseconds)
        when (random.nextInt(5)) {
            0 -> story.attempt("stop scrub") { manager.stopScrub(GROUP) }
            1 -> story.attempt("pause scrub") { manager.pauseScrub(GROUP) }
            2 -> story.attempt("resume scrub") { manager.resumeScrub(GROUP) }
            else -> ScrubMode.entries.random(random).let { mode ->
                story.attempt("scrub $mode") { manager.startScrub(GROUP, mode) }
            }
        }
    }

    private companion object {
        const val KINDS = 19
        const val MOST = 8

        /** More than the largest disk has above what a member needs. */
        const val SHORT = 16_384L
    }
}
