package dev.arraywright.raid.array

import dev.arraywright.raid.array.intent.WriteIntent
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
    roster: Roster,
    scope: CoroutineScope,
    private val observers: Observers,
    bitmap: StartBitmap?,
) : Engine {
    override val buffers: Buffers = Buffers(runtime.buffers)
    override val locks: StripeLocks = StripeLocks()
    override val parity: Parity = runtime.parity
    val gate: WriteGate = WriteGate()

    private val current = MutableStateFlow(first)
    private val durable = MutableStateFlow(0L)
    private val mailbox = Mailbox(scope, ::end) { DeviceGoneException(id, "the array was stopped", null) }
    private val writer = SuperblockWriter(geometry, blockSize, buffers, runtime.clock)
    private var events = first.events
    private var lost = false

    /** Who sits where; changed where state is. */
    @Volatile
    var roster: Roster = roster
        private set

    /** The write-intent bitmap, if there is one. */
    val intent: WriteIntent? = bitmap?.let {
        WriteIntent(it.header, it.bits, it.needed, blockSize, IntentDisks(this))
    }

    /** True if spares of the array take empty slots by themselves. */
    @Volatile
    var promotes: Boolean = true

    /** Slots that no spare takes by itself, as the last one's rebuild was called off. */
    val held: MutableSet<Int> = HashSet()

    /** Why members that are being replaced are, by slot. */
    val reasons: MutableMap<Int, String> = HashMap()

    val state: StateFlow<ArrayState> get() = current

    @Volatile
    override var view: View = View(first, members(), replacements(), 0)
        private set

    /** Below it redundancy agrees with the data, in the measure of [Geometry.syncOffset]. */
    @Volatile
    var syncedTo: Long = first.resync?.done ?: Long.MAX_VALUE

    /** What of it a superblock may say. */
    private var syncRecorded = syncedTo

    init {
        if (!geometry.level().redundant()) gate.open()
    }

    override fun synced(stripe: Long): Boolean {
        if (syncedTo == Long.MAX_VALUE) return true
        return geometry.syncOffset(stripe + 1) <= syncedTo || !needed(stripe)
    }

    /** False if the bitmap says that a resync or a member that came back can leave the stripe out. */
    fun needed(stripe: Long): Boolean =
        intent?.needed(geometry.syncOffset(stripe), minOf(geometry.syncOffset(stripe + 1), geometry.syncSize())) ?: true

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

    /**
     * Runs [action] where state is changed; [record], [publish] and the like are for use in there. Where a member was
     * lost on the way, in whatever step, a spare takes its place before the next action.
     */
    suspend fun <T> change(action: suspend ArraySupervisor.() -> T): T = mailbox.ask {
        val result = action()
        if (lost) {
            lost = false
            promote()
        }
        result
    }

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
        val calls = view.writables().mapIndexed { i, member -> MemberCall(i, member) { it.flush() } }
        for ((i, failure) in callAll(calls)) fail(calls[i].member, failure)
        settle(view)
    }

    suspend fun flushNow() {
        val calls = view.writables().mapIndexed { i, member -> MemberCall(i, member) { it.flush() } }
        for ((i, failure) in callAll(calls)) {
            failNow(calls[i].member, failure.message ?: failure.toString(), failure !is DeviceGoneException)
        }
    }

    suspend fun failNow(member: Member, cause: String, readable: Boolean) {
        val next = without(member, cause, readable) ?: return
        if (next.failure != null) return publish(next)
        record(next)
    }

    /** The state without a member or replacement, which leaves the roster unless the array fails; null if not in it. */
    private fun without(member: Member, cause: String, readable: Boolean): ArrayState? {
        val slot = roster.slotOf(member)
        val replaces = roster.replacementOf(member)
        if (replaces >= 0) {
            roster = roster.replacementFailed(replaces)
            return current.value.on(ArrayEvent.ReplacementEnded(replaces, cause, spareAtFault = true))
        }
        if (slot < 0) return null
        val next = current.value.on(ArrayEvent.MemberFailed(slot, cause, readable))
        if (next.failure == null) roster = roster.failed(slot)
        // It may lack what it has acknowledged, should it come back.
        intent?.needAll()
        lost = true
        return next
    }

    /** A superblock of the array, to make a newcomer's from. */
    fun template(): Superblock = roster.present.first().superblock

    fun has(deviceId: String): Boolean = (roster.present + roster.out).any { it.member.id == deviceId }

    /** Changes who sits where; [record] follows. */
    fun reseat(next: Roster) {
        roster = next
    }

    /** What has been swept so far is on stable storage, so that superblocks may say so; [slot] is a rebuild's. */
    suspend fun recordProgress(slot: Int?) {
        val seat = slot?.let { roster.replacements[it] ?: roster.slots[it] }
        val done = seat?.member?.rebuilt ?: syncedTo
        flushNow()
        if (current.value.failure != null) return
        when {
            seat == null -> syncRecorded = done
            roster.replacements[slot] === seat -> roster = roster.withReplacement(slot, seat.recorded(done))
            roster.slots[slot] === seat -> roster = roster.withSlot(slot, seat.recorded(done))
            else -> return
        }
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
            events++
            val failed = if (intent == null)
                writer.write(roster, told, events, syncRecorded, null)
            else
                intent.recording(events) { writer.write(roster, told, events, syncRecorded, it.bytes) }
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

    fun publish(event: ArrayEvent) {
        publish(current.value.on(event))
    }

    fun publish(next: ArrayState, version: Long = view.version) {
        val before = current.value
        view = View(next, members(), replacements(), version)
        current.value = next
        if (before != next) observers.changed(before, next)
    }

    private fun drop(seat: Seat, cause: DeviceIoException) {
        val text = cause.message ?: cause.toString()
        if (seat in roster.spares) {
            roster = roster.copy(spares = roster.spares - seat)
            return publish(current.value.on(ArrayEvent.SpareGone(seat.member.id)).on(ArrayEvent.ErrorSeen(text)))
        }
        without(seat.member, text, cause !is DeviceGoneException)?.let(::publish)
    }

    /** As if a call to the device had found it gone. */
    suspend fun gone(deviceId: String, cause: String) = change {
        val seat = roster.present.firstOrNull { it.member.id == deviceId } ?: return@change
        drop(seat, DeviceGoneException(deviceId, cause, null))
        if (current.value.failure == null) record(current.value)
    }

    private fun end() {
        publish(current.value.on(ArrayEvent.Stop))
    }

    private fun members(): List<Member?> = roster.slots.map { it?.member }

    private fun replacements(): List<Member?> = roster.replacements.map { it?.member }

    private fun refuseIfFailed(state: ArrayState) {
        if (state.failure != null) throw WriteProtectedException(id, "the array has failed: ${state.failure}", null)
        if (state.stopped) throw DeviceGoneException(id, "the array was stopped", null)
    }
}
