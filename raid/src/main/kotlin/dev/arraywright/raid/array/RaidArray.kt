package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.CopiesIo
import dev.arraywright.raid.array.io.LevelIo
import dev.arraywright.raid.array.io.ParityIo
import dev.arraywright.raid.array.io.Piece
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.pace.PaceLimits
import dev.arraywright.raid.pace.Pacer
import dev.arraywright.raid.repair.RepairControl
import dev.arraywright.raid.repair.Repairs
import dev.arraywright.raid.repair.ScrubControl
import dev.arraywright.raid.repair.Sweep
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.sync.withPermit
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.nio.ByteBuffer
import java.util.UUID

/**
 * A running array: bytes at any offset, of any length. Made by [Arrays.create] and [Arrays.assemble], ended by [stop].
 *
 * **Buffers.** The remaining bytes are transferred; position and limit are left alone. The array is done with a buffer
 * when the call ends, however it ends.
 *
 * **Errors.** Reads and writes fail with a `DeviceIoException`: medium error for bytes that no member has, write
 * protected once the array is past its tolerance, device gone after [stop]. Everything else is an [ArrayException].
 *
 * **Durability.** As that of a `BlockDevice`: what was written survives a power cut after a [flush] that began after
 * the write ended, and then any failures that the level tolerates.
 *
 * **Threads.** Any; work runs on the runtime's dispatcher. Devices stay the caller's to close, after [stop].
 */
public class RaidArray internal constructor(
    private val runtime: ArrayRuntime,
    public val uuid: UUID,
    public val name: String,
    public val report: AssemblyReport,
    start: Start,
) {
    private val job = SupervisorJob(runtime.context[Job])
    private val scope = CoroutineScope(runtime.context + job)
    internal val id: String = "md-uuid-" + Superblock.mdText(uuid)
    public val geometry: Geometry = start.geometry
    internal val blockSize: Int = start.blockSize
    internal val observers = start.observers
    internal val supervisor =
        ArraySupervisor(runtime, id, geometry, blockSize, start.state, start.roster, scope, observers, start.bitmap)
    internal val io: LevelIo = if (geometry.hasParity()) ParityIo(supervisor) else CopiesIo(supervisor)
    internal val cached = CachedReads(runtime.cache, supervisor, job)
    private val permits = Semaphore(permits())
    private val requests = MutableStateFlow(0)
    private val roster = Rostering(runtime, this)
    private val pacer = Pacer(runtime.time) { paceLimits }
    private val sweep = Sweep(geometry, blockSize, pacer, runtime.policy.sweepWindow)

    /** How rebuilds are watched and steered. */
    public val repair: RepairControl = RepairControl(this, runtime.clock, runtime.time, observers)

    /** How scrubs are. */
    public val scrubs: ScrubControl = ScrubControl(this, runtime.clock, runtime.time, observers, sweep, scope)

    /** How fast rebuilds, resyncs and scrubs may go beside clients; a change counts at once. */
    @Volatile
    public var paceLimits: PaceLimits = PaceLimits()

    /** True if spares of the array take empty slots by themselves; false once somebody else decides that. */
    public var autoFailover: Boolean
        get() = supervisor.promotes
        set(value) {
            supervisor.promotes = value
        }

    @Volatile
    private var accepting = true
    private lateinit var background: Job

    /** Bytes of the array. */
    public val size: Long get() = geometry.arraySize()

    /** What there is to know, as it changes. */
    public val state: StateFlow<ArrayState> get() = supervisor.state

    /** The write-intent bitmap; null if there is none. */
    public val bitmap: BitmapStatus?
        get() = supervisor.intent?.let { BitmapStatus(it.chunk.toLong(), it.chunks, it.dirtyChunks, it.eventsCleared) }

    /** Records the array as started, then lets repairs and idle marking begin. */
    internal suspend fun begin(): RaidArray {
        supervisor.change {
            for (seat in roster.present) {
                if (!writeIntent(seat)) failNow(seat.member, "it did not take the bitmap", readable = true)
            }
            if (state.value.failure != null) return@change
            record(state.value)
            promote()
            if (!state.value.clean) gate.open()
        }
        background = scope.launch {
            launch { Repairs(supervisor, io, sweep, runtime.policy.checkpointBytes, repair).run() }
            if (geometry.level().redundant()) launch { markCleanWhenIdle() }
            launch { tidyIntent() }
        }
        return this
    }

    /** Fills [target]'s remaining bytes from [offset]. */
    public suspend fun read(target: ByteBuffer, offset: Long) {
        val length = target.remaining().toLong()
        request(offset, length) {
            cached.read(target, offset) {
                working {
                    spread(offset, length) { piece, at ->
                        io.read(piece, target.slice(target.position() + at.toInt(), piece.length))
                    }
                }
            }
        }
    }

    /** Writes [source]'s remaining bytes at [offset]. */
    public suspend fun write(source: ByteBuffer, offset: Long) {
        writing(offset, source.remaining().toLong()) { piece, at ->
            io.write(piece, source.slice(source.position() + at.toInt(), piece.length))
        }
    }

    /** Makes the range read as zeroes, through the members' own means where whole stripes are concerned. */
    public suspend fun writeZeroes(offset: Long, length: Long) {
        writing(offset, length) { piece, _ ->
            if (whole(piece)) io.zero(piece.stripe) else io.write(piece, ByteBuffer.allocate(piece.length))
        }
    }

    /** The range is no longer needed: whole stripes of it become zeroes, so that copies and parity go on agreeing. */
    public suspend fun discard(offset: Long, length: Long) {
        writing(offset, length) { piece, _ -> if (whole(piece)) io.zero(piece.stripe) }
    }

    /** Returns once every write that ended before this call is on stable storage. */
    public suspend fun flush() {
        request(0, 0) { working { supervisor.flush() } }
    }

    /** Fails a member by its device id, as if it had failed by itself; refused for the last that has its bytes. */
    public suspend fun fail(deviceId: String, cause: String = "failed by the operator") {
        roster.fail(deviceId, cause)
    }

    /**
     * A device is known to be gone, as when it was unplugged: it serves no more, at once and whatever that means for the
     * array, which else notices with the next call to it. Nothing happens if the array does not use it.
     */
    public suspend fun deviceGone(deviceId: String, cause: String) {
        supervisor.gone(deviceId, cause)
    }

    /** Takes a spare or a failed member out of the array and returns it. */
    public suspend fun remove(deviceId: String): AsyncBlockDevice = roster.remove(deviceId)

    /**
     * Makes a device a member: a replacement that is rebuilt in the background where a slot is empty, else a spare.
     * What is on it is lost. With [force] even if it has a superblock of another array.
     */
    public suspend fun add(device: AsyncBlockDevice, force: Boolean = false) {
        roster.add(device, force)
    }

    /**
     * Takes a member back that was away, opened anew, into the slot that it left. True: only what the write-intent
     * bitmap says it missed is filled; false: all of it is, as the bitmap does not reach back that far or there is none.
     * [ArrayException.WrongState] if its place is taken or it is none of this array's members.
     */
    public suspend fun readd(device: AsyncBlockDevice): Boolean = Returning(runtime, this).readd(device)

    /** Has a spare of the array, by its device id, take an empty slot and fills it in the background. */
    public suspend fun rebuild(slot: Int, spareId: String) {
        roster.rebuild(slot, spareId)
    }

    /**
     * Has a spare of the array filled beside a member that still serves, and take its place once it is whole:
     * redundancy never drops. [cause] is told of the one replaced.
     */
    public suspend fun replace(deviceId: String, spareId: String, cause: String = "replaced by the operator") {
        roster.replace(deviceId, spareId, cause)
    }

    /** Has the observer told of everything until the result is closed. */
    public fun observe(observer: ArrayObserver): AutoCloseable = observers.add(observer)

    /** The devices that the array uses as members, replacements or spares, as they are now. */
    public fun devices(): List<AsyncBlockDevice> = supervisor.roster.present.map { it.member.device }

    /** Bytes that a device has to have at least to be a member. */
    public val memberBytes: Long get() = supervisor.template().dataOffset() + geometry.componentSize()

    /** Ends requests, repairs and the array, within the policy's deadline; marks it clean if all has been written. */
    public suspend fun stop() {
        accepting = false
        val quiet = withTimeoutOrNull(runtime.policy.stopDeadline) { requests.first { it == 0 } } != null
        scrubs.end()
        background.cancelAndJoin()
        if (!state.value.stopped) {
            supervisor.change {
                if (quiet) closeGate(gate.entries())
                if (state.value.resync != null) recordProgress(null)
                publish(state.value.on(ArrayEvent.Stop))
            }
        }
        job.cancelAndJoin()
    }

    /** The array as a device, to export or to build upon; closing it does not stop the array. */
    public fun asDevice(): AsyncBlockDevice = ArrayDevice(this, scope)

    private suspend fun writing(offset: Long, length: Long, each: suspend (Piece, Long) -> Unit) {
        request(offset, length) {
            cached.write(offset, length) {
                working {
                    supervisor.enterGate()
                    try {
                        intending(offset, length) { spread(offset, length, each) }
                    } finally {
                        supervisor.gate.leave()
                    }
                }
            }
        }
    }

    /** The bitmap says so before members are written to. */
    private suspend fun intending(offset: Long, length: Long, action: suspend () -> Unit) {
        val intent = supervisor.intent
        if (intent == null || length == 0L) return action()
        val unit = geometry.stripeBytes().toLong()
        val from = geometry.syncOffset(offset / unit)
        val until = minOf(geometry.syncOffset(Math.ceilDiv(offset + length, unit)), geometry.syncSize())
        intent.enter(from, until)
        try {
            action()
        } finally {
            // Stripes are written to their end or not at all, so only who is missing may lack something.
            intent.leave(from, until, everywhere = state.value.let { it.missing == 0 && it.failure == null })
        }
    }

    private suspend inline fun request(offset: Long, length: Long, action: () -> Unit) {
        require(offset >= 0 && length >= 0 && offset <= size - length) {
            "$length bytes at $offset do not lie within $name ($size bytes)"
        }
        requests.update { it + 1 }
        try {
            if (!accepting) throw DeviceGoneException(id, "the array was stopped", null)
            currentCoroutineContext().ensureActive()
            action()
        } finally {
            requests.update { it - 1 }
        }
    }

    /** On the array's dispatcher, as work of the members that sweeps make way for. */
    private suspend fun working(action: suspend () -> Unit) {
        val began = pacer.started()
        try {
            withContext(runtime.context.minusKey(Job)) { action() }
        } finally {
            pacer.ended(began)
        }
    }

    /** Runs [each] for the pieces of a range, a bounded number at once; its second argument counts from the range. */
    private suspend fun spread(offset: Long, length: Long, each: suspend (Piece, Long) -> Unit) {
        val unit = geometry.stripeBytes().toLong()
        val pieces = (offset / unit until Math.ceilDiv(offset + length, unit)).asSequence().map { stripe ->
            val from = maxOf(offset - stripe * unit, 0)
            Piece(stripe, from.toInt(), minOf(offset + length - stripe * unit, unit).toInt())
        }.filter { it.length > 0 }

        suspend fun one(piece: Piece) = permits.withPermit { each(piece, piece.stripe * unit + piece.from - offset) }
        for (some in pieces.chunked(PIECES)) {
            if (some.size == 1) one(some[0]) else coroutineScope { for (piece in some) launch { one(piece) } }
        }
    }

    private fun whole(piece: Piece): Boolean =
        piece.from == 0 && piece.length == geometry.length(piece.stripe) * geometry.dataChunks()

    private fun permits(): Int {
        val perStripe = 2L * geometry.unit() * if (geometry.hasParity()) geometry.members() else 1
        return (runtime.policy.bytesInFlight / perStripe).coerceIn(1, runtime.policy.stripesInFlight.toLong()).toInt()
    }

    private suspend fun markCleanWhenIdle() {
        for (quiet in supervisor.gate.quiet) {
            val entries = supervisor.gate.entries()
            delay(runtime.policy.safeModeDelay)
            // Whoever came in meanwhile sends the next signal when leaving.
            supervisor.change { closeGate(entries) }
        }
    }

    /** Clears bits of the bitmap that nothing needs any more, after a while and many at a time. */
    private suspend fun tidyIntent() {
        while (true) {
            delay(runtime.policy.bitmapDelay)
            try {
                supervisor.intent?.tick()
            } catch (failure: DeviceIoException) {
                supervisor.change { publish(ArrayEvent.ErrorSeen("write-intent bitmap: ${failure.message}")) }
            }
        }
    }

    /** What an array starts from. */
    internal class Start(
        val geometry: Geometry,
        val blockSize: Int,
        val state: ArrayState,
        val roster: Roster,
        val observers: Observers,
        val bitmap: StartBitmap? = null,
    )

    private companion object {
        const val PIECES = 64
    }
}
