package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.spare.DeviceGroup
import dev.arraywright.raid.spare.GroupEvent
import dev.arraywright.raid.spare.HotSpareManager
import dev.arraywright.raid.spare.ScrubMark
import dev.arraywright.raid.spare.ScrubMarks
import dev.arraywright.raid.spare.SpareDevice
import dev.arraywright.raid.spare.Surroundings
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import java.util.UUID
import kotlin.time.Duration.Companion.seconds

/** A manager looks after the story's array; what it does about what happens is held against what it should. */
internal class Supervision(private val story: Simulation) : Caretaker, Surroundings, ScrubMarks {
    private val saved = HashMap<UUID, ScrubMark>()
    private val random get() = story.random
    private val array: RaidArray get() = story.array
    private lateinit var ledger: Ledger
    private lateinit var life: Job

    /** Disks that are shared spares, as far as is known from outside. */
    val pool = LinkedHashSet<String>()
    val sick = HashMap<String, String>()

    /** Slots whose rebuild the operator has called off: the next one is for the operator to ask for. */
    val calledOff = HashSet<Int>()
    lateinit var manager: HotSpareManager
        private set

    /** Null while no manager is there yet. */
    private var hands: Happenings? = null

    override val marks: ScrubMarks get() = this

    override suspend fun takeOver() {
        val books = Ledger(story.tally, ::filled, story::found)
        ledger = books
        val ground = story.ground()
        life = ground[Job]!!
        array.observe(books)
        array.observe(object : ArrayObserver {
            override fun changed(before: ArrayState, after: ArrayState) = forget(before, after)
        })
        array.repair.rebuild.value?.takeIf { !it.phase.terminal }?.let(books::adopt)
        manager = HotSpareManager(
            ground,
            story.dispatcher.clock,
            story.dispatcher.time,
            this,
            Policies.any(random),
        ) { if (!books.closed) heard(books, it) }
        val early = random.nextBoolean()
        if (early) manager.start()
        manager.register(DeviceGroup(GROUP, array))
        if (!early) manager.start()
        // What the array has is its own from now on.
        pool.removeAll(pool.filter(::inArray).toSet())
        hands = Happenings(story, this)
        for (id in pool.toList()) offer(story.disk(id))
        if (pool.isEmpty()) repeat(random.nextInt(3)) { offer(story.newDisk()) }
    }

    /** Registers a disk as a shared spare, without what it was before. */
    suspend fun offer(disk: SimulatedDisk) {
        disk.wipe(Simulation.DATA)
        pool += disk.id
        var taken = false
        try {
            story.attempt("${disk.id} is a shared spare") {
                manager.registerSpare(SpareDevice(disk.reconnect()))
                taken = true
            }
        } finally {
            if (!taken && story.powered) pool -= disk.id
        }
    }

    fun inArray(id: String): Boolean = array.state.value.let { now ->
        id in now.spares || now.out.any { it.deviceId == id } ||
            now.slots.any { it.deviceId == id || it.replacement?.deviceId == id }
    }

    /** A member that fails is another story than what was called off before. */
    private fun forget(before: ArrayState, after: ArrayState) {
        for ((was, now) in before.slots.zip(after.slots)) {
            if (was.member == MemberState.InSync && !now.member.takesWrites) calledOff -= now.slot
        }
    }

    private fun filled(id: String): Boolean = array.state.value.slots.any {
        (it.deviceId == id && it.member is MemberState.Rebuilding) || it.replacement?.deviceId == id
    }

    override suspend fun mishap() {
        hands?.next()
    }

    override suspend fun quiet() {
        while (hands == null) delay(1.seconds)
        for (disk in story.disks) disk.recover()
        sick.clear()
        manager.policyChanged(Policies.quiet(random))
        repeat(PATIENCE) {
            if (settled()) {
                // What is told comes a little later.
                delay(2.seconds)
                if (settled() && ledger.open().isEmpty()) return
            }
            goOn()
            delay(1.seconds)
        }
        error(
            "not as well as it could be: ${ledger.open()}, ${array.state.value}, pool $pool, spares ${manager.spares.value}",
        )
    }

    private fun settled(): Boolean {
        val now = array.state.value
        check(now.failure == null) { "failed within tolerance: ${now.failure}" }
        val scrubbing = array.scrubs.status.value?.phase?.terminal == false
        val filling = now.slots.any { it.member is MemberState.Rebuilding || it.replacement != null }
        return now.resync == null && !scrubbing && !filling && manager.activeRebuilds.value.isEmpty() &&
            !(lacking() && usable().isNotEmpty())
    }

    private fun lacking() = array.state.value.slots.any { !it.member.takesWrites }

    /** Spares that the array could have, by what is known from outside. */
    private fun usable(): List<String> {
        val needed = Simulation.DATA + story.shape.dataSize
        return array.state.value.spares + pool.filter { !inArray(it) && story.disk(it).size >= needed }
    }

    /** What an operator held or called off is for an operator to let go on. */
    private suspend fun goOn() {
        for (status in manager.activeRebuilds.value) {
            if (status.phase == RebuildPhase.PAUSED) story.attempt("resume") { manager.resumeRebuild(status.id) }
        }
        when {
            array.scrubs.status.value?.phase?.terminal != false -> Unit
            // It waits for the array to be whole.
            lacking() && usable().isEmpty() -> story.attempt("stop scrub") { manager.stopScrub(GROUP) }
            else -> story.attempt("resume scrub") { manager.resumeScrub(GROUP) }
        }
        for (slot in array.state.value.slots) {
            if (slot.slot !in calledOff || slot.member.takesWrites) continue
            story.attempt("rebuild ${slot.slot} after all") {
                manager.forceRebuild(GROUP, slot.slot)
                calledOff -= slot.slot
            }
        }
    }

    override suspend fun leave() {
        hands = null
        manager.close()
        ledger.closed = true
        check(life.children.none()) { "the closed manager leaves ${life.children.toList()}" }
    }

    override fun dark() {
        hands = null
        ledger.closed = true
        sick.clear()
        calledOff.clear()
    }

    private fun heard(books: Ledger, event: GroupEvent) {
        story.note { "  $event" }
        books.told(event)
        when (event) {
            is GroupEvent.SpareFailed -> pool -= event.device
            is GroupEvent.Rebuild -> if (event.status.phase == RebuildPhase.COMPLETE) pool -= event.status.replacement
            else -> Unit
        }
    }

    override suspend fun reopen(group: String, deviceId: String): AsyncBlockDevice? =
        story.disk(deviceId).let { if (it.gone) null else it.reconnect() }

    override suspend fun close(device: AsyncBlockDevice) {
        device.close()
    }

    override fun health(deviceId: String): String? = sick[deviceId]

    override suspend fun load(array: UUID): ScrubMark? = saved[array]

    override suspend fun save(array: UUID, mark: ScrubMark) {
        saved[array] = mark
    }

    companion object {
        const val GROUP = "sim"

        /** Seconds of simulated time. */
        private const val PATIENCE = 1800
    }
}
