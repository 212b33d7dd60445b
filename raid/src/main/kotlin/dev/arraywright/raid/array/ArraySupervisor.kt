package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.Buffers
import dev.arraywright.raid.array.io.Engine
import dev.arraywright.raid.array.io.Member
import dev.arraywright.raid.array.io.MemberCall
import dev.arraywright.raid.array.io.StripeLocks
import dev.arraywright.raid.array.io.View
import dev.arraywright.raid.array.io.callAll
import dev.arraywright.raid.codec.Parity
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockDescriptor
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.first
import kotlin.time.toJavaInstant

/**
 * Owns who is in the array and what the superblocks say. One coroutine changes either, I/O reads [view].
 *
 * What keeps data safe across a power cut:
 * - a member that failed is out of [view] at once, and no write or flush that went without it is acknowledged
 *   before the others' superblocks say so ([settle]): so a stale member is always recognised by their roles;
 * - superblocks are written to all members, then flushed, and a member that cannot take one is failed in turn;
 * - a failure past tolerance writes nothing any more: as no write was acknowledged since, the members
 *   still agree, and the array can be assembled once they answer again.
 */
internal class ArraySupervisor(
    private val runtime: ArrayRuntime,
    private val id: String,
    override val geometry: Geometry,
    override val blockSize: Int,
    first: ArrayState,
    private var roster: Roster,
    scope: CoroutineScope,
) : Engine {
    override val buffers: Buffers = Buffers(runtime.buffers)
    override val locks: StripeLocks = StripeLocks()
    override val parity: Parity = runtime.parity
    val gate: WriteGate = WriteGate()

    private val current = MutableStateFlow(first)
    private val durable = MutableStateFlow(0L)
    private val mailbox = Mailbox(scope, ::end) { DeviceGoneException(id, "the array was stopped", null) }
    private var events = first.events

    val state: StateFlow<ArrayState> get() = current

    @Volatile
    override var view: View = View(first, members(), 0)
        private set

    /** Below it redundancy agrees with the data, in the measure of [Geometry.syncOffset]. */
    @Volatile
    var syncedTo: Long = first.resync?.done ?: Long.MAX_VALUE

    /** What of it a superblock may say. */
    private var syncRecorded = syncedTo

    init {
        if (!geometry.level().redundant()) gate.open()
    }

    override fun synced(stripe: Long): Boolean =
        syncedTo == Long.MAX_VALUE || geometry.syncOffset(stripe + 1) <= syncedTo

    override fun viewToWrite(): View = view.also { refuseIfFailed(it.state) }

    override fun unreadable(offset: Long, length: Int, cause: DeviceIoException?): DeviceIoException =
        MediumErrorException(id, offset, length.toLong(), cause)

    override suspend fun settle(view: View) {
        if (durable.value < view.version)
            durable.combine(current) { done, now ->
                done >= view.version || now.failure != null || now.stopped
            }.first { it }
        refuseIfFailed(current.value)
    }

    override suspend fun fail(member: Member, cause: DeviceIoException) {
        change { failNow(member, cause.message ?: cause.toString(), cause !is DeviceGoneException) }
    }

    override suspend fun readFailed(member: Member, cause: DeviceIoException) {
        val hopeless = cause is TimedOutException && member.misses >= runtime.policy.readTimeouts
        if (cause is DeviceGoneException || hopeless) fail(member, cause)
    }

    /** Runs [action] where state is changed; [record], [publish] and the like are for use in there. */
    suspend fun <T> change(action: suspend ArraySupervisor.() -> T): T = mailbox.ask { action() }

    /** Has the dirty mark on stable storage before the first write after a quiet time. */
    suspend fun enterGate() {
        while (!gate.enter()) {
            change {
                refuseIfFailed(current.value)
                if (current.value.clean) record(ArrayEvent.WriteBegan)
                refuseIfFailed(current.value)
                gate.open()
            }
        }
    }

    /** Marks the array clean unless somebody wrote since; everything written is on stable storage by then. */
    suspend fun closeGate(entries: Long) {
        if (current.value.failure != null || !gate.close(entries)) return
        flushNow()
        if (current.value.failure == null) record(ArrayEvent.WentIdle)
    }

    /** Flushes every member that takes writes; those that cannot are failed. */
    suspend fun flush() {
        val view = viewToWrite()
        for ((slot, failure) in callAll(flushes(view))) view.members[slot]?.let { fail(it, failure) }
        settle(view)
    }

    suspend fun flushNow() {
        val members = view.members
        for ((slot, failure) in callAll(flushes(view))) {
            failNow(members[slot]!!, failure.message ?: failure.toString(), failure !is DeviceGoneException)
        }
    }

    private fun flushes(view: View): List<MemberCall> =
        view.members.indices.mapNotNull { slot ->
            view.writable(slot)?.let { MemberCall(slot, it) { member -> member.flush() } }
        }

    suspend fun failNow(member: Member, cause: String, readable: Boolean) {
        val slot = roster.slotOf(member)
        val next = current.value.on(ArrayEvent.MemberFailed(slot.takeIf { it >= 0 } ?: return, cause, readable))
        if (next.failure != null) return publish(next)
        roster = roster.failed(slot)
        record(next)
        promote()
    }

    /** Lets a spare take the place of a member that is not there. */
    suspend fun promote() {
        while (true) {
            val now = current.value
            val slot = now.slots.firstOrNull { !it.member.takesWrites }?.slot ?: return
            val seat = roster.spares.firstOrNull() ?: return
            if (now.failure != null || now.stopped || !geometry.level().redundant()) return
            seat.member.rebuilt = 0
            roster = roster.copy(spares = roster.spares - seat).withSlot(slot, seat.recorded(0))
            record(ArrayEvent.RebuildStarted(slot, seat.member.id, 0))
        }
    }

    /** A new seat for a device; it is in the array once recorded. */
    fun admit(member: Member, make: (Superblock, Int) -> Superblock): Boolean {
        val before = roster.present.firstOrNull()?.superblock ?: return false
        val number = roster.freeNumber(before) ?: return false
        roster = roster.copy(spares = roster.spares + Seat(member, number, make(before, number)))
        return true
    }

    /** Takes a spare or failed device out and returns it. */
    suspend fun release(deviceId: String): Member? {
        val spare = roster.spares.firstOrNull { it.member.id == deviceId }
        val out = roster.out.firstOrNull { it.member.id == deviceId }
        if (spare != null) {
            roster = roster.copy(spares = roster.spares - spare)
            record(ArrayEvent.SpareGone(deviceId))
        } else if (out != null) {
            roster = roster.copy(out = roster.out - out)
            current.value.slots.firstOrNull {
                it.deviceId == deviceId
            }?.let { publish(current.value.on(ArrayEvent.MemberRemoved(it.slot))) }
        }
        return (spare ?: out)?.member
    }

    /** A superblock of the array, to make a newcomer's from. */
    fun template(): Superblock = roster.present.first().superblock

    fun has(deviceId: String): Boolean = (roster.present + roster.out).any { it.member.id == deviceId }

    /** What has been swept so far is on stable storage, so that superblocks may say so. */
    suspend fun recordProgress(slot: Int?) {
        val seat = slot?.let { roster.slots[it] }
        val done = seat?.member?.rebuilt ?: syncedTo
        flushNow()
        if (current.value.failure != null) return
        if (seat == null)
            syncRecorded = done
        else if (roster.slots[slot] === seat)
            roster = roster.withSlot(slot, seat.recorded(done))
        else
            return
        record(current.value)
    }

    suspend fun record(event: ArrayEvent) {
        record(current.value.on(event))
    }

    /** Shows the state and writes it to all superblocks, over again without those that fail. */
    suspend fun record(next: ArrayState) {
        publish(next, view.version + 1)
        write { current.value }
    }

    /** Shows what the event leads to only once it is in all superblocks: for good news. */
    suspend fun recordFirst(event: ArrayEvent) {
        write { current.value.on(event) }
    }

    private suspend fun write(next: () -> ArrayState) {
        while (true) {
            val version = view.version
            val told = next()
            val failed = writeSuperblocks(told, ++events)
            if (failed.isEmpty()) {
                publish(told.on(ArrayEvent.Recorded(events)), version)
                durable.value = version
                return
            }
            for ((seat, cause) in failed) drop(seat, cause)
            if (current.value.failure != null) return
            publish(current.value, version + 1)
        }
    }

    fun publish(next: ArrayState, version: Long = view.version) {
        view = View(next, members(), version)
        current.value = next
    }

    private fun drop(seat: Seat, cause: DeviceIoException) {
        val text = cause.message ?: cause.toString()
        if (seat in roster.spares) {
            roster = roster.copy(spares = roster.spares - seat)
            return publish(current.value.on(ArrayEvent.SpareGone(seat.member.id)).on(ArrayEvent.ErrorSeen(text)))
        }
        val slot = roster.slotOf(seat.member)
        val next = current.value.on(ArrayEvent.MemberFailed(slot, text, cause !is DeviceGoneException))
        if (next.failure == null) roster = roster.failed(slot)
        publish(next)
    }

    private suspend fun writeSuperblocks(state: ArrayState, events: Long): List<Pair<Seat, DeviceIoException>> {
        val seats = roster.present
        val calls = seats.mapIndexed { i, seat ->
            val bytes = superblock(seat, state, events).encode(blockSize)
            MemberCall(i, seat.member) {
                it.writeSuperblock(buffers, bytes, SuperblockDescriptor.SUPERBLOCK_OFFSET.toLong())
                it.flush()
            }
        }
        return callAll(calls).map { (i, failure) -> seats[i] to failure }
    }

    private fun superblock(seat: Seat, now: ArrayState, events: Long): Superblock {
        val resync = when {
            !geometry.level().redundant() -> Superblock.IN_SYNC
            !now.clean -> 0
            now.resync == null -> Superblock.IN_SYNC
            else -> syncRecorded
        }
        val rebuilding = now.slots.getOrNull(roster.slotOf(seat.member))?.member is MemberState.Rebuilding
        var result = seat.superblock.withEvents(events).withUpdated(runtime.clock.now().toJavaInstant())
            .withResyncOffset(resync).withRecoveryOffset(if (rebuilding) seat.recorded else Superblock.IN_SYNC)
        roster.roles(seat.superblock).forEachIndexed { number, role ->
            if (result.role(number) != role) result = result.withRole(number, role)
        }
        return result
    }

    private fun end() {
        publish(current.value.on(ArrayEvent.Stop))
    }

    private fun members(): List<Member?> = roster.slots.map { it?.member }

    private fun refuseIfFailed(state: ArrayState) {
        if (state.failure != null) throw WriteProtectedException(id, "the array has failed: ${state.failure}", null)
        if (state.stopped) throw DeviceGoneException(id, "the array was stopped", null)
    }
}
