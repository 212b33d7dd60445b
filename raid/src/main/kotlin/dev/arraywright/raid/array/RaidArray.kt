package dev.arraywright.raid.array

import dev.arraywright.raid.array.io.CopiesIo
import dev.arraywright.raid.array.io.LevelIo
import dev.arraywright.raid.array.io.Member
import dev.arraywright.raid.array.io.ParityIo
import dev.arraywright.raid.array.io.Piece
import dev.arraywright.raid.layout.Geometry
import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.repair.Repairs
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
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
    internal val supervisor = ArraySupervisor(runtime, id, geometry, blockSize, start.state, start.roster, scope)
    internal val io: LevelIo = if (geometry.hasParity()) ParityIo(supervisor) else CopiesIo(supervisor)
    private val permits = Semaphore(permits())
    private val requests = MutableStateFlow(0)
    private val roster = Rostering(runtime, this)

    @Volatile
    private var accepting = true
    private lateinit var background: Job

    /** Bytes of the array. */
    public val size: Long get() = geometry.arraySize()

    /** What there is to know, as it changes. */
    public val state: StateFlow<ArrayState> get() = supervisor.state

    /** Records the array as started, then lets repairs and idle marking begin. */
    internal suspend fun begin(): RaidArray {
        supervisor.change {
            record(state.value)
            promote()
            if (!state.value.clean) gate.open()
        }
        background = scope.launch {
            launch { Repairs(this@RaidArray.supervisor, io, runtime.policy).run() }
            if (geometry.level().redundant()) launch { markCleanWhenIdle() }
        }
        return this
    }

    /** Fills [target]'s remaining bytes from [offset]. */
    public suspend fun read(target: ByteBuffer, offset: Long) {
        request(offset, target.remaining().toLong()) {
            spread(offset, target.remaining().toLong()) { piece, at ->
                io.read(piece, target.slice(target.position() + at.toInt(), piece.length))
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
        request(0, 0) { supervisor.flush() }
    }

    /** Fails a member by its device id, as if it had failed by itself; refused for the last that has its bytes. */
    public suspend fun fail(deviceId: String) {
        roster.fail(deviceId)
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

    /** Ends requests, repairs and the array, within the policy's deadline; marks it clean if all has been written. */
    public suspend fun stop() {
        accepting = false
        val quiet = withTimeoutOrNull(runtime.policy.stopDeadline) { requests.first { it == 0 } } != null
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
            supervisor.enterGate()
            try {
                spread(offset, length, each)
            } finally {
                supervisor.gate.leave()
            }
        }
    }

    private suspend fun request(offset: Long, length: Long, action: suspend () -> Unit) {
        require(offset >= 0 && length >= 0 && offset <= size - length) {
            "$length bytes at $offset do not lie within $name ($size bytes)"
        }
        requests.update { it + 1 }
        try {
            if (!accepting) throw DeviceGoneException(id, "the array was stopped", null)
            withContext(runtime.context.minusKey(Job)) { action() }
        } finally {
            requests.update { it - 1 }
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

    /** What an array starts from. */
    internal class Start(
        val geometry: Geometry,
        val blockSize: Int,
        val state: ArrayState,
        val roster: Roster,
    )

    private companion object {
        const val PIECES = 64
    }
}

internal fun ArrayRuntime.member(device: AsyncBlockDevice, dataOffset: Long): Member =
    Member(device, dataOffset, policy.memberDeadline)
