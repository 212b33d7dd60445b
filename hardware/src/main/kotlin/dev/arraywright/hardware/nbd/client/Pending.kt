package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.Errno
import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.spi.device.DeviceIoException.MediumErrorException
import dev.arraywright.spi.device.DeviceIoException.OutOfSpaceException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.device.Extent
import java.io.IOException
import java.nio.ByteBuffer
import java.util.TreeMap
import java.util.concurrent.CompletableFuture

/**
 * A request from its call to its end. Its fields are guarded by the link's lock, but for the reply's state, which is
 * the receiver's while [receiving].
 *
 * A buffer belongs to the caller again as soon as [stage] ends, so that has to wait while a thread moves its bytes:
 * what the request ends with is kept in [outcome] until nobody does. One that missed its deadline stays in the
 * link's table without its buffer until the server answers, so that a late answer finds its place and is dropped.
 */
internal class Pending(
    val command: Int,
    val flags: Int,
    val offset: Long,
    val length: Long,
    buffer: ByteBuffer?,
    val deadline: Long,
    private val abandon: (Pending) -> Unit,
) {
    /** Ends with the extents of a BLOCK_STATUS, else with null. Cancelling it gives the buffer back first. */
    val stage: CompletableFuture<List<Extent>?> = object : CompletableFuture<List<Extent>?>() {
        override fun cancel(mayInterruptIfRunning: Boolean): Boolean {
            if (!isDone) abandon(this@Pending)
            return super.cancel(mayInterruptIfRunning)
        }
    }

    /** The caller's bytes, null once the request is over. */
    @Volatile
    var buffer: ByteBuffer? = buffer
        private set

    /** Where the receiver puts data; null if nobody wants it any more. */
    val target: ByteBuffer? get() = if (receiving) buffer else null

    var cookie = 0L
    var sentAt = 0L

    /** The sender reads the buffer. */
    @Volatile
    var sending = false

    /** The receiver may write to the buffer. */
    @Volatile
    var receiving = false

    /** Writes that had been acknowledged when this FLUSH was sent. */
    var covers = 0L

    @Volatile
    private var outcome: Outcome? = null

    val isOver: Boolean get() = outcome != null

    val isMoving: Boolean get() = sending || receiving

    val changesData: Boolean
        get() = command == Command.WRITE || command == Command.TRIM || command == Command.WRITE_ZEROES

    /** The first outcome counts. */
    fun end(with: Outcome) {
        if (outcome == null) outcome = with
    }

    /** Ends the stage if the request is over and nobody moves its bytes; called without the lock. */
    fun settle() {
        val ended = outcome
        if (ended == null || isMoving) return
        buffer = null
        when (ended) {
            is Outcome.Done -> stage.complete(ended.extents)
            is Outcome.Failed -> stage.completeExceptionally(ended.cause)
        }
    }

    fun request(): NbdRequest = NbdRequest(flags, command, cookie, offset, length)

    /** Forgets what an earlier connection brought. */
    fun reset() {
        reply = ReplyState()
    }

    var reply = ReplyState()
        private set
}

internal sealed interface Outcome {
    class Done(val extents: List<Extent>?) : Outcome

    class Failed(val cause: Exception) : Outcome
}

/** What a complete reply means to the caller. */
internal fun outcomeOf(id: String, pending: Pending): Outcome {
    val reply = pending.reply
    if (reply.errno == Errno.OK) return Outcome.Done(reply.extents)
    val said = if (reply.message.isEmpty()) "" else ": ${reply.message}"
    val cause = IOException("the server answered ${nameOf(reply.errno)}$said")
    return Outcome.Failed(
        when {
            reply.errno == Errno.EPERM && pending.changesData -> WriteProtectedException(id, cause)
            reply.errno == Errno.ENOSPC && pending.changesData -> OutOfSpaceException(id, cause)
            else -> MediumErrorException(id, pending.offset, pending.length, cause)
        },
    )
}

private fun nameOf(errno: Int): String = when (errno) {
    Errno.EPERM -> "EPERM"
    Errno.EIO -> "EIO"
    Errno.ENOMEM -> "ENOMEM"
    Errno.EINVAL -> "EINVAL"
    Errno.ENOSPC -> "ENOSPC"
    Errno.EOVERFLOW -> "EOVERFLOW"
    Errno.ENOTSUP -> "ENOTSUP"
    else -> "error $errno"
}

/** What the chunks of a structured reply have brought so far. */
internal class ReplyState {
    var errno = 0
    var message = ""
    var extents: List<Extent>? = null
    private val parts = TreeMap<Long, Long>()
    private var covered = 0L

    /** Notes that bytes from [start] to [end] have come; false if some of them had come before. */
    fun cover(start: Long, end: Long): Boolean {
        val before = parts.floorEntry(start)
        val after = parts.ceilingEntry(start)
        val overlaps = (before != null && before.value > start) || (after != null && after.key < end)
        if (overlaps || parts.size >= MAX_PARTS) return false
        // Chunks that follow one another are one part, so an honest server's replies stay small here.
        if (before != null && before.value == start) parts[before.key] = end else parts[start] = end
        covered += end - start
        return true
    }

    fun isWhole(length: Long): Boolean = covered == length

    private companion object {
        const val MAX_PARTS = 1 shl 14
    }
}
