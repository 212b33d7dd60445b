package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberCallKind
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.SlotState
import dev.arraywright.raid.repair.RebuildAdmission
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus
import dev.arraywright.raid.spare.DeviceGroup
import dev.arraywright.raid.spare.SpareDevice
import dev.arraywright.raid.spare.pool.Candidate
import dev.arraywright.raid.spare.pool.Endangerment
import dev.arraywright.raid.spare.pool.Need
import dev.arraywright.raid.spare.pool.RebuildQueue
import dev.arraywright.raid.spare.pool.Want
import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.sync.Mutex
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.Instant

/**
 * A group that is looked after: what its supervisor knows of it, and what others ask of it at any time. Whoever moves
 * its devices holds [mutex].
 */
internal class ManagedGroup(val spec: DeviceGroup, private val shared: Shared) : ArrayObserver, RebuildQueue.Entrant {
    val name = spec.name
    val array = spec.array
    val state: ArrayState get() = array.state.value
    val mutex = Mutex()
    val notices = Notices()
    val health = MemberHealth(shared.time) { shared.policy.value }
    val book = SlotBook(shared.time)
    val failover = Failover(this, shared)

    /** Shared spares that the array has and that are not whole members yet. */
    val borrowed = ConcurrentHashMap<String, SpareDevice>()

    /** Devices of the shared pool that were given to the array: it is no news when they come and go there. */
    val lent: MutableSet<String> = ConcurrentHashMap.newKeySet()

    /** Rebuilds by slot whose end has not been dealt with: nothing is begun there before that. */
    val unsettled = ConcurrentHashMap<Int, RebuildStatus>()

    /** When its own spares were last found good. */
    val checked = ConcurrentHashMap<String, Instant>()

    /** Members that are predicted to fail, and why. */
    @Volatile
    var warnings: Map<String, String> = emptyMap()

    /** Devices that may be back, as somebody said. */
    val announced: MutableSet<String> = ConcurrentHashMap.newKeySet()
    private val domains = ConcurrentHashMap(spec.domains)
    private var observing: AutoCloseable? = null

    @Volatile
    private var supervisor: Job? = null

    /** True if it has any use for spares. */
    val takesSpares: Boolean get() = state.let { it.geometry.level().redundant() && it.failure == null && !it.stopped }

    fun attach() {
        array.autoFailover = false
        array.paceLimits = shared.policy.value.pace
        observing = array.observe(this)
        array.repair.admission = shared.queue.admission(this)
        array.repair.rebuild.value?.takeIf { !it.phase.terminal }?.let(::note)
    }

    fun detach() {
        observing?.close()
        array.repair.admission = RebuildAdmission.Open
        array.autoFailover = true
        array.repair.rebuild.value?.let { shared.forget(it.id) }
    }

    fun supervise(job: Job) {
        supervisor = job
    }

    /** Ends the supervisor. */
    suspend fun release() {
        supervisor?.cancelAndJoin()
        supervisor = null
    }

    fun wake() {
        notices.wake()
    }

    fun returned(deviceId: String) {
        if (state.out.none { it.deviceId == deviceId }) return
        announced += deviceId
        wake()
    }

    suspend fun gone(deviceId: String, cause: String) {
        if (!has(deviceId)) return
        health.gone(deviceId)
        array.deviceGone(deviceId, cause)
    }

    /** What was called off may be tried again. */
    fun lift() {
        book.lift()
    }

    fun has(deviceId: String): Boolean = state.let { now ->
        deviceId in now.spares || now.out.any { it.deviceId == deviceId } ||
            now.slots.any { it.deviceId == deviceId || it.replacement?.deviceId == deviceId }
    }

    /** True if nothing is in a slot. */
    fun free(slot: Int): Boolean = !state.slots[slot].member.takesWrites

    /** The array's own spares. */
    fun dedicated(): List<Candidate> {
        val ids = state.spares
        val ending = unsettled.values.map { it.replacement }.toSet()
        return array.devices().map { it.info() }.filter { it.id() in ids }.map {
            Candidate(
                it.id(),
                it.size(),
                it.logicalBlockSize(),
                it.type(),
                domains[it.id()],
                dedicated = true,
                obstacle = if (it.id() in ending) "its last rebuild is just ending" else null,
                passing = it.id() in ending,
            )
        }
    }

    fun domain(deviceId: String, domain: String?) {
        if (domain == null) domains.remove(deviceId) else domains[deviceId] = domain
    }

    /** What a spare has to be like, to take [slot]. */
    fun need(slot: Int?): Need {
        val others = state.slots.filter { it.slot != slot && it.member.takesWrites }.mapNotNull { it.deviceId }.toSet()
        val types = array.devices().map { it.info() }.filter { it.id() in others }.map { it.type() }.toSet()
        return Need(array.memberBytes, array.blockSize, types, others.mapNotNull { domains[it] }.toSet())
    }

    /** Slots that ask for a spare now. */
    fun wants(): List<Want> =
        if (supervisor == null || !shared.policy.value.autoFailover || !takesSpares)
            emptyList()
        else
            state.slots.filter { book.free(it.slot) && !unsettled.containsKey(it.slot) }.mapNotNull(::want)

    private fun want(slot: SlotState): Want? {
        val warning = warnings[slot.deviceId]
        return when {
            !slot.member.takesWrites -> want(slot, true, lost(slot), cause(slot))
            slot.member == MemberState.InSync && slot.replacement == null && warning != null ->
                want(slot, false, slot.deviceId, warning)
            else -> null
        }
    }

    fun want(slot: SlotState, empty: Boolean, device: String?, cause: String): Want =
        Want(name, slot.slot, need(slot.slot), Endangerment.of(state), empty, device, cause)

    /** Who was in a slot last. */
    fun lost(slot: SlotState): String? =
        state.out.lastOrNull { it.slot == slot.slot }?.deviceId ?: slot.deviceId.takeUnless { slot.member.takesWrites }

    fun cause(slot: SlotState): String = (slot.member as? MemberState.Faulty)?.cause
        ?: state.out.lastOrNull { it.slot == slot.slot }?.cause ?: "no device is there"

    override val endangerment: Endangerment get() = Endangerment.of(state)

    override fun wanted(status: RebuildStatus): Boolean = state.let { now ->
        val slot = now.slots[status.slot]
        val fills = slot.deviceId == status.replacement && slot.member is MemberState.Rebuilding
        val replaces = slot.replacement?.deviceId == status.replacement
        (fills || replaces) && now.failure == null && !now.stopped && shared.groups.value[name] === this
    }

    override fun paused(status: RebuildStatus): Boolean =
        array.repair.rebuild.value?.let { it.id == status.id && it.phase == RebuildPhase.PAUSED } == true

    override fun media(status: RebuildStatus): Set<String> =
        (state.slots.mapNotNull { it.deviceId } + status.replacement).map(shared.surroundings::medium).toSet()

    override fun changed(before: ArrayState, after: ArrayState) {
        // Progress is told as that of a rebuild, and changes nothing here.
        if (before.shape == after.shape) return
        notices.offer(Notice.Changed(before, after))
        shared.changed()
    }

    override fun called(deviceId: String, call: MemberCallKind, took: Duration, failure: DeviceIoException?) {
        if (health.called(deviceId, call, took, failure)) wake()
    }

    override fun rebuild(status: RebuildStatus) {
        note(status)
        notices.offer(Notice.Rebuild(status))
    }

    private fun note(status: RebuildStatus) {
        if (!status.phase.terminal) unsettled[status.slot] = status
        shared.rebuild(status)
    }

    override fun scrub(status: ScrubStatus) {
        notices.offer(Notice.Scrub(status))
    }
}

private val ArrayState.shape: List<Any?>
    get() = listOf(
        slots.map { listOf(it.deviceId, it.member::class, it.replacement?.deviceId) },
        spares,
        out,
        failure,
        stopped,
        resync != null,
    )
