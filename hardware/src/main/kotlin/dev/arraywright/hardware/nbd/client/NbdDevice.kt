package dev.arraywright.hardware.nbd.client

import dev.arraywright.hardware.nbd.inPieces
import dev.arraywright.hardware.nbd.wire.Nbd.Can
import dev.arraywright.hardware.nbd.wire.Nbd.Command
import dev.arraywright.hardware.nbd.wire.Nbd.CommandFlag
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.device.DeviceType
import dev.arraywright.spi.device.Extent
import dev.arraywright.spi.device.StorageAddress
import dev.arraywright.spi.driver.DriverException
import dev.arraywright.spi.driver.DriverException.Reason
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference

/**
 * An export of an NBD server as a device. Requests are pipelined on one connection; each has a deadline.
 *
 * **A lost connection.** The device reconnects by itself, and asks again what was in flight, as long as no write can
 * have been harmed. It is gone at once if writes were acknowledged since the last flush: a server that crashed has
 * lost them, and would serve old data, or confirm a flush of what it no longer has. It is gone as well if writes were
 * in flight: repeated on a new connection they can be overtaken by the first copy, still on its way through the old
 * one, which then undoes what was written later. NBD has no way to prove neither happened, so an array rather takes
 * the member back through its bitmap. A server whose export has another size, larger blocks or other abilities after
 * a reconnect is not taken for the same.
 */
public class NbdDevice private constructor(
    private val link: Link,
    private val export: RemoteExport,
    private val info: DeviceInfo,
) : AsyncBlockDevice {
    /** FUA takes the place of flushes that the server does not know. */
    private val writeFlags = if (export.can(Can.FLUSH) || !export.can(Can.FUA)) 0 else CommandFlag.FUA

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
        require(!target.isReadOnly) { "the target of a read is a read-only buffer" }
        return transfer(Command.READ, target, offset, 0)
    }

    override fun write(source: ByteBuffer, offset: Long): CompletionStage<Void> {
        info.checkRange(offset, source.remaining().toLong())
        return protectedStage() ?: transfer(Command.WRITE, source, offset, writeFlags)
    }

    override fun flush(): CompletionStage<Void> =
        if (export.can(Can.FLUSH)) ask(Command.FLUSH, 0, 0, 0) else barrier()

    override fun discard(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return protectedStage() ?: if (export.can(Can.TRIM)) {
            inPieces(offset, length, RANGE_PIECE) { at, count -> ask(Command.TRIM, at, count, 0) }
        } else {
            barrier()
        }
    }

    override fun writeZeroes(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return protectedStage() ?: if (export.can(Can.WRITE_ZEROES)) {
            inPieces(offset, length, RANGE_PIECE) { at, count -> ask(Command.WRITE_ZEROES, at, count, writeFlags) }
        } else {
            inPieces(offset, length, ZEROES.capacity().toLong()) { at, count ->
                transfer(Command.WRITE, ZEROES.slice(0, count.toInt()), at, writeFlags)
            }
        }
    }

    override fun allocation(offset: Long, length: Long): CompletionStage<List<Extent>> {
        info.checkRange(offset, length)
        val done = CompletableFuture<List<Extent>>()
        if (export.allocation == null || length == 0L) {
            val all = if (length == 0L) emptyList() else listOf(Extent(offset, length, false))
            link.failure()?.let(done::completeExceptionally) ?: done.complete(all)
        } else {
            askAllocation(ArrayList(), offset, offset + length, done)
        }
        return done
    }

    /** Asks until the range is covered; past [MAX_EXTENTS] the rest is called data. */
    private fun askAllocation(found: MutableList<Extent>, at: Long, end: Long, done: CompletableFuture<List<Extent>>) {
        submit(Command.BLOCK_STATUS, at, minOf(end - at, STATUS_WINDOW), 0).whenComplete { extents, failure ->
            if (failure != null) {
                done.completeExceptionally(failure)
                return@whenComplete
            }
            found += extents.orEmpty()
            val next = found.last().end()
            if (next < end && found.size < MAX_EXTENTS) {
                askAllocation(found, next, end, done)
            } else {
                if (next < end) found += Extent(next, end - next, false)
                done.complete(found)
            }
        }
    }

    override fun health(): DeviceHealth = when (val state = link.state) {
        is LinkState.Connected -> DeviceHealth.GOOD
        is LinkState.Connecting -> DeviceHealth(DeviceHealth.Status.SUSPECT, "connection lost, reconnecting")
        is LinkState.Gone -> DeviceHealth(DeviceHealth.Status.FAILED, state.why)
        is LinkState.Closed -> DeviceHealth(DeviceHealth.Status.FAILED, "closed")
    }

    override fun isOnline(): Boolean = link.state.let { it is LinkState.Connected || it is LinkState.Connecting }

    /** As [AsyncBlockDevice.close]; takes leave of the server where the connection stands, and waits 2 s at most. */
    override fun close(): Unit = link.close()

    private fun protectedStage(): CompletionStage<Void>? =
        if (info.readOnly() && isOnline) CompletableFuture.failedFuture(WriteProtectedException(info.id())) else null

    @Suppress("UNCHECKED_CAST") // Only BLOCK_STATUS ends with anything but null.
    private fun ask(
        command: Int,
        offset: Long,
        length: Long,
        flags: Int,
        bytes: ByteBuffer? = null,
    ): CompletableFuture<Void> =
        submit(command, offset, length, flags, bytes) as CompletableFuture<Void>

    private fun submit(
        command: Int,
        offset: Long,
        length: Long,
        flags: Int,
        bytes: ByteBuffer? = null,
    ): CompletableFuture<List<Extent>?> {
        val pending = Pending(command, flags, offset, length, bytes, link.newDeadline(), link::abandon)
        link.submit(pending)
        return pending.stage
    }

    /** Done at once if the device is there. */
    private fun barrier(): CompletionStage<Void> = link.failure()?.let { CompletableFuture.failedFuture(it) } ?: DONE

    /** One request, or as many as the server's limit on payloads makes of it; ends when all have. */
    private fun transfer(command: Int, bytes: ByteBuffer, offset: Long, flags: Int): CompletionStage<Void> {
        val length = bytes.remaining()
        info.checkRange(offset, length.toLong())
        if (length == 0) return barrier()
        val piece = export.maxPayload
        val parts = (0 until length step piece).map { from ->
            val part = bytes.slice(bytes.position() + from, minOf(piece, length - from))
            ask(command, offset + from, part.remaining().toLong(), flags, part)
        }
        return parts.singleOrNull() ?: Parts(parts)
    }

    /** Ends when all parts have, with the first failure if there is one; cancelling it cancels them. */
    private class Parts(private val parts: List<CompletableFuture<Void>>) : CompletableFuture<Void>() {
        private val left = AtomicInteger(parts.size)
        private val first = AtomicReference<Throwable>()

        init {
            parts.forEach { it.whenComplete { _, failure -> ended(failure) } }
        }

        private fun ended(failure: Throwable?) {
            if (failure != null) first.compareAndSet(null, failure)
            if (left.decrementAndGet() == 0) first.get()?.let(::completeExceptionally) ?: complete(null)
        }

        override fun cancel(mayInterruptIfRunning: Boolean): Boolean {
            parts.forEach { it.cancel(mayInterruptIfRunning) }
            return super.cancel(mayInterruptIfRunning)
        }
    }

    public companion object {
        private val DONE: CompletableFuture<Void> = CompletableFuture.completedFuture(null)
        private val ZEROES: ByteBuffer = ByteBuffer.allocateDirect(1 shl 20)
        private const val RANGE_PIECE = 64L shl 20
        private const val STATUS_WINDOW = 1L shl 30
        private const val MAX_EXTENTS = 1 shl 20
        private const val LARGEST_PHYSICAL_BLOCK = 1 shl 20

        /**
         * Connects; blocks for [NbdClientOptions.connect] at most.
         *
         * @throws DriverException if there is no such export, or none that is fit to be a device
         */
        @Throws(DriverException::class)
        public fun open(
            address: StorageAddress,
            readOnly: Boolean = false,
            options: NbdClientOptions = NbdClientOptions(),
        ): NbdDevice {
            val link = Link(address.toString(), Dialler(address), options)
            link.start()
            try {
                val export = await(link, address, options)
                return NbdDevice(link, export, infoOf(address, export, readOnly))
            } catch (e: Throwable) {
                link.close()
                throw e
            }
        }

        private fun await(link: Link, address: StorageAddress, options: NbdClientOptions): RemoteExport = try {
            link.opened.get(options.connect.inWholeMilliseconds + 1000, TimeUnit.MILLISECONDS)
        } catch (e: ExecutionException) {
            throw e.cause ?: e
        } catch (e: TimeoutException) {
            throw DriverException(
                Reason.UNREACHABLE,
                "$address cannot be reached: no answer in time",
                "check that the server runs",
                e,
            )
        }

        private fun infoOf(address: StorageAddress, export: RemoteExport, readOnly: Boolean): DeviceInfo {
            if (!readOnly && export.can(Can.READ_ONLY)) {
                throw DriverException(
                    Reason.READ_ONLY,
                    "$address is read-only",
                    "open it for reading, or let the server export it for writing",
                )
            }
            if (!readOnly && !export.can(Can.FLUSH) && !export.can(Can.FUA)) {
                throw DriverException(
                    Reason.UNSUPPORTED,
                    "$address offers neither FLUSH nor FUA, so nothing written there is ever known to be safe",
                    "let the server offer flushes, or open it for reading",
                )
            }
            val physical = maxOf(export.minBlock, minOf(export.preferredBlock, LARGEST_PHYSICAL_BLOCK))
            return DeviceInfo(
                address.toString(),
                export.description,
                "",
                DeviceType.NETWORK,
                -1,
                export.size,
                export.minBlock,
                physical,
                readOnly,
                false,
            )
        }
    }
}
