package dev.arraywright.raid.array.io

import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.array.MemberCallKind
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.ChecksumException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.withTimeoutOrNull
import java.nio.ByteBuffer
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import kotlin.time.Duration
import kotlin.time.TimeSource
import kotlin.time.toJavaDuration

/**
 * A device as a member of an array: calls suspend, have a deadline, and end with a [DeviceIoException] if they fail.
 * Offsets count from the start of the member's data.
 */
internal class Member(
    val device: AsyncBlockDevice,
    private val dataOffset: Long,
    private val deadline: Duration,
    private val time: TimeSource = TimeSource.Monotonic,
    private val observer: ArrayObserver = Unwatched,
) {
    val id: String = device.info().id()

    /** Below it this member has been rebuilt; only ever moves up. */
    @Volatile
    var rebuilt: Long = Long.MAX_VALUE

    /** Deadlines missed in a row; while not 0 others are asked first. */
    @Volatile
    var misses: Int = 0
        private set

    /** The same device in another place: what was done in the old one moves nothing in the new one. */
    fun anew(): Member = Member(device, dataOffset, deadline, time, observer)

    /** Reads [length] bytes into [block], from [at] there. */
    suspend fun read(block: Block, at: Int, length: Int, offset: Long) {
        call(MemberCallKind.READ, block) { device.read(block.slice(at, length), dataOffset + offset) }
    }

    /** Writes [length] bytes of [block], from [at] there. */
    suspend fun write(block: Block, at: Int, length: Int, offset: Long) {
        call(MemberCallKind.WRITE, block) { device.write(block.slice(at, length), dataOffset + offset) }
    }

    suspend fun writeZeroes(offset: Long, length: Long) {
        call(MemberCallKind.WRITE, null) { device.writeZeroes(dataOffset + offset, length) }
    }

    suspend fun flush() {
        call(MemberCallKind.FLUSH, null) { device.flush() }
    }

    /** Writes [bytes] at [position] of the device itself, where the superblock is. */
    suspend fun writeSuperblock(buffers: Buffers, bytes: ByteBuffer, position: Long) {
        val length = bytes.remaining()
        buffers.use(length) { block ->
            block.memory.put(0, bytes, bytes.position(), length)
            call(MemberCallKind.WRITE, block) { device.write(block.slice(0, length), position) }
        }
    }

    /** Writes [bytes] at [position] of the device itself, outside its data. */
    suspend fun writeMetadata(buffers: Buffers, bytes: ByteArray, position: Long) {
        writeSuperblock(buffers, ByteBuffer.wrap(bytes), position)
    }

    private suspend fun call(kind: MemberCallKind, block: Block?, start: () -> CompletionStage<Void>) {
        val began = time.markNow()
        try {
            awaitDevice(device, deadline, block, start)
            misses = 0
            observer.called(id, kind, began.elapsedNow(), null)
        } catch (failure: DeviceIoException) {
            if (failure is TimedOutException) misses++
            observer.called(id, kind, began.elapsedNow(), failure)
            throw failure
        }
    }

    private object Unwatched : ArrayObserver

    override fun toString(): String = id
}

/**
 * Starts a call and waits for its end, at most [deadline]; the device holds [block] until its stage ends, which may be
 * later. What a driver throws that is no [DeviceIoException] counts as the device being gone.
 */
internal suspend fun awaitDevice(
    device: AsyncBlockDevice,
    deadline: Duration,
    block: Block?,
    start: () -> CompletionStage<Void>,
) {
    val shared = block?.share()
    val stage = try {
        start()
    } catch (misuse: RuntimeException) {
        shared?.release()
        throw misuse
    }
    val ended = CompletableDeferred<Throwable?>()
    stage.whenComplete { _, failure ->
        shared?.release()
        ended.complete(failure)
    }
    val outcome =
        if (ended.isCompleted) Outcome(ended.await()) else withTimeoutOrNull(deadline) { Outcome(ended.await()) }
    val failure =
        if (outcome == null) TimedOutException(device.info().id(), deadline.toJavaDuration()) else outcome.failure
    if (failure != null) throw typed(device, failure)
}

private class Outcome(val failure: Throwable?)

private fun typed(device: AsyncBlockDevice, failure: Throwable): DeviceIoException = when (failure) {
    is DeviceIoException -> failure
    is CompletionException -> typed(device, failure.cause ?: IllegalStateException("no cause", failure))
    else -> DeviceGoneException(device.info().id(), "its driver failed: $failure", failure)
}

/** True if rewriting the range may cure it. */
internal val DeviceIoException.curable: Boolean get() = this is MediumErrorException || this is ChecksumException
