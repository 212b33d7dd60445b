package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.inPieces
import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.CommandFlag
import dev.arraywright.hardware.nbd.wire.Nbd.Errno
import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.Extent
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage

/** What a request does to the exported device. Thread-safe. */
internal class Commands(private val session: Session) {
    private val live = session.live
    private val export = live.export
    private val device = export.device
    private val info = device.info()

    /** The errno with which the request is refused before anything is done, or 0. */
    fun refusal(request: NbdRequest): Int {
        val known = FLAGS[request.command] ?: return Errno.EINVAL
        if (request.flags and known.inv() != 0) return Errno.EINVAL
        return when (request.command) {
            Command.FLUSH -> if (request.offset != 0L || request.length != 0L) Errno.EINVAL else Errno.OK
            Command.READ -> readRefusal(request)
            Command.BLOCK_STATUS -> if (!session.allocation || request.length == 0L)
                Errno.EINVAL
            else
                range(
                    request,
                    Errno.EINVAL,
                )
            Command.TRIM -> if (export.readOnly) Errno.EPERM else range(request, Errno.EINVAL)
            Command.WRITE -> when {
                export.readOnly -> Errno.EPERM
                request.length > session.maxPayload -> Errno.EINVAL
                else -> range(request, Errno.ENOSPC)
            }
            else -> when {
                export.readOnly -> Errno.EPERM
                request.has(
                    CommandFlag.FAST_ZERO,
                ) && (!export.fastZeroes || request.has(CommandFlag.NO_HOLE)) -> Errno.ENOTSUP
                else -> range(request, Errno.ENOSPC)
            }
        }
    }

    private fun readRefusal(request: NbdRequest): Int = when {
        request.has(CommandFlag.DF) && !session.structured -> Errno.EINVAL
        request.length > session.maxPayload -> if (session.structured) Errno.EOVERFLOW else Errno.EINVAL
        else -> range(request, Errno.EINVAL)
    }

    private fun range(request: NbdRequest, beyond: Int): Int {
        val blocks = info.logicalBlockSize() - 1L
        return when {
            request.offset < 0 || request.offset > info.size() - request.length -> beyond
            (request.offset or request.length) and blocks != 0L -> Errno.EINVAL
            else -> Errno.OK
        }
    }

    /**
     * Starts a request that was not refused; the stage ends with the extents of a BLOCK_STATUS, else with null.
     *
     * @param buffer payload of a WRITE, place for that of a READ
     */
    fun start(request: NbdRequest, buffer: ByteBuffer?): CompletionStage<List<Extent>?> {
        val done: CompletionStage<*> = try {
            dispatch(request, buffer)
        } catch (e: RuntimeException) {
            CompletableFuture.failedFuture<Void>(e)
        }
        if (request.has(CommandFlag.FUA) && request.command in PERSISTENT) {
            return done.thenCompose { device.flush() }.thenApply { null }
        }
        @Suppress("UNCHECKED_CAST")
        return done as CompletionStage<List<Extent>?>
    }

    private fun dispatch(request: NbdRequest, buffer: ByteBuffer?): CompletionStage<*> {
        val (offset, length) = request.offset to request.length
        return when (request.command) {
            Command.READ -> {
                live.reads.increment()
                if (length == 0L) NOTHING else device.read(buffer!!, offset)
            }
            Command.WRITE -> {
                live.writes.increment()
                if (length == 0L) NOTHING else device.write(buffer!!, offset)
            }
            Command.FLUSH -> {
                live.flushes.increment()
                device.flush()
            }
            Command.TRIM -> {
                live.discards.increment()
                inPieces(offset, length, RANGE_PIECE) { at, count -> device.discard(at, count) }
            }
            Command.WRITE_ZEROES -> {
                live.zeroes.increment()
                zeroes(request)
            }
            else -> device.allocation(offset, minOf(length, STATUS_WINDOW)).thenApply { described(request, it) }
        }
    }

    /** NO_HOLE asks for allocated space, which only writing promises. */
    private fun zeroes(request: NbdRequest): CompletionStage<Void> =
        if (request.has(CommandFlag.NO_HOLE)) {
            inPieces(request.offset, request.length, ZEROES.capacity().toLong()) { at, count ->
                device.write(ZEROES.slice(0, count.toInt()), at)
            }
        } else {
            inPieces(request.offset, request.length, RANGE_PIECE) { at, count -> device.writeZeroes(at, count) }
        }

    /** Joins neighbours of a kind and keeps what a reply may hold: one extent if only one is wanted. */
    private fun described(request: NbdRequest, found: List<Extent>): List<Extent> {
        val most = if (request.has(CommandFlag.REQ_ONE)) 1 else MAX_EXTENTS
        val joined = ArrayList<Extent>()
        for (extent in found) {
            val last = joined.lastOrNull()
            if (last != null && last.hole == extent.hole) {
                joined[joined.size - 1] = Extent(last.offset, last.length + extent.length, last.hole)
            } else {
                if (joined.size == most) break
                joined += extent
            }
        }
        return joined.ifEmpty { listOf(Extent(request.offset, minOf(request.length, STATUS_WINDOW), false)) }
    }

    /** Counts the end of a request. */
    fun settled(request: NbdRequest, errno: Int) {
        when {
            errno != Errno.OK -> live.errors.increment()
            request.command == Command.READ -> live.bytesRead.add(request.length)
            request.command == Command.WRITE -> live.bytesWritten.add(request.length)
        }
    }

    companion object {
        private val FLAGS = mapOf(
            Command.READ to (CommandFlag.FUA or CommandFlag.DF),
            Command.WRITE to CommandFlag.FUA,
            Command.FLUSH to CommandFlag.FUA,
            Command.TRIM to CommandFlag.FUA,
            Command.WRITE_ZEROES to (CommandFlag.FUA or CommandFlag.NO_HOLE or CommandFlag.FAST_ZERO),
            Command.BLOCK_STATUS to (CommandFlag.FUA or CommandFlag.REQ_ONE),
        )
        private val PERSISTENT = setOf(Command.WRITE, Command.TRIM, Command.WRITE_ZEROES)
        private val NOTHING = CompletableFuture.completedFuture<Void>(null)

        /** Zeroes and discards go to the device in steps of this, so that none outlasts the device's own deadlines. */
        private const val RANGE_PIECE = 64L shl 20
        private const val STATUS_WINDOW = 1L shl 30
        private const val MAX_EXTENTS = 1 shl 12
        private val ZEROES = ByteBuffer.allocateDirect(1 shl 20)

        /** The NBD error that says best what a stage failed with. */
        fun errnoOf(failure: Throwable): Int = when (val cause = bare(failure)) {
            is DeviceIoException -> when (cause) {
                is DeviceIoException.WriteProtectedException -> Errno.EPERM
                is DeviceIoException.OutOfSpaceException -> Errno.ENOSPC
                is DeviceIoException.MediumErrorException,
                is DeviceIoException.ChecksumException,
                is DeviceIoException.DeviceGoneException,
                is DeviceIoException.TimedOutException,
                -> Errno.EIO
            }
            is IllegalArgumentException, is UnsupportedOperationException -> Errno.EINVAL
            else -> Errno.EIO
        }

        /** The failure without the wrapping that dependent stages add. */
        fun bare(failure: Throwable): Throwable =
            if (failure is CompletionException) failure.cause?.let(::bare) ?: failure else failure
    }
}
