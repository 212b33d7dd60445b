package dev.arraywright.hardware.device.guard

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import dev.arraywright.spi.device.DeviceIoException.WriteProtectedException
import dev.arraywright.spi.device.Extent
import java.nio.ByteBuffer
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration

/**
 * A blocking device made asynchronous and harmless: every call has a deadline, its queueing included, past which the
 * stage fails with [TimedOutException] and the device is SUSPECT until it answers again; and the threads and buffers
 * that a hanging device holds on to are its own, and bounded.
 *
 * Transfers go through buffers of the device's own reserve, never through the caller's, so that an answer that comes
 * after the deadline can harm nobody. Cancelling the stage (as a cancelled `await` does) abandons the call and gives the
 * caller's buffer back before it returns.
 *
 * @param device owned from here on, and closed by [close], or once the last hanging call has returned
 * @param buffers gives the device's reserve, on the device's NUMA node
 * @param timer must outlive the device
 * @throws IllegalStateException if [buffers] has not [GuardLimits.bufferBytes] left; [device] is then the caller's still
 */
public class GuardedDevice(
    private val device: BlockDevice,
    buffers: BufferPool,
    private val timer: DeadlineTimer,
    private val limits: GuardLimits = GuardLimits(),
) : AsyncBlockDevice {
    private val info = device.info()
    private val reserve = checkNotNull(buffers.tryReserve(limits.bufferBytes, info.numaNode())) {
        "the buffer pool has not ${limits.bufferBytes} bytes left for ${info.id()}"
    }
    private val released = CompletableFuture<Void?>()
    private val workers = Workers()

    /** Calls that neither answered nor missed their deadline, oldest first: all have the same time to live. */
    private val inFlight = LinkedHashSet<GuardedCall<*>>()
    private var hanging = 0
    private var suspect = false
    private var closed = false
    private var alarm: AutoCloseable? = null

    override fun info(): DeviceInfo = info

    override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
        require(!target.isReadOnly) { "the target of a read is a read-only buffer" }
        val theirs = target.duplicate()
        info.checkRange(offset, theirs.remaining().toLong())
        return transfer(theirs, offset) { call, ours, at, done ->
            device.read(ours, at)
            call.touch { theirs.put(theirs.position() + done, ours, 0, ours.limit()) }
        }
    }

    override fun write(source: ByteBuffer, offset: Long): CompletionStage<Void> {
        val theirs = source.duplicate()
        info.checkRange(offset, theirs.remaining().toLong())
        if (info.readOnly()) return CompletableFuture.failedFuture(WriteProtectedException(info.id()))
        return transfer(theirs, offset) { call, ours, at, done ->
            val copied = call.touch { ours.put(0, theirs, theirs.position() + done, ours.limit()) }
            if (copied) device.write(ours, at)
            copied
        }
    }

    override fun flush(): CompletionStage<Void> = perform { device.flush() }

    override fun discard(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return perform { device.discard(offset, length) }
    }

    override fun writeZeroes(offset: Long, length: Long): CompletionStage<Void> {
        info.checkRange(offset, length)
        return perform { device.writeZeroes(offset, length) }
    }

    override fun allocation(offset: Long, length: Long): CompletionStage<List<Extent>> {
        info.checkRange(offset, length)
        return submit { device.allocation(offset, length) }
    }

    override fun health(): DeviceHealth =
        synchronized(inFlight) {
            when {
                closed -> DeviceHealth(DeviceHealth.Status.FAILED, "closed")
                hanging > 0 -> DeviceHealth(DeviceHealth.Status.SUSPECT, "$hanging calls without an answer")
                suspect -> DeviceHealth(DeviceHealth.Status.SUSPECT, "missed a deadline, and has not answered since")
                else -> null
            }
        } ?: device.health()

    override fun isOnline(): Boolean = !synchronized(inFlight) { closed } && device.isOnline

    /** Ends with the release of the device and its claim, which calls that hang put off. */
    @Suppress("UNCHECKED_CAST")
    public fun released(): CompletionStage<Void> = released as CompletionStage<Void>

    /** As [AsyncBlockDevice.close]; waits at most [GuardLimits.closeWait] for calls that are still in time. */
    override fun close() {
        val (abandoned, wait) = synchronized(inFlight) {
            if (closed) return
            closed = true
            alarm?.close()
            inFlight.toList().also { inFlight.clear() } to (hanging == 0)
        }
        abandoned.forEach { it.fail(gone("closed", null)) }
        workers.shutdownNow()
        if (!wait) return
        try {
            released.get(limits.closeWait.inWholeNanoseconds, TimeUnit.NANOSECONDS)
        } catch (_: TimeoutException) {
            // Hangs after all: released() tells.
        } catch (_: InterruptedException) {
            Thread.currentThread().interrupt()
        }
    }

    private inline fun transfer(
        theirs: ByteBuffer,
        offset: Long,
        crossinline piece: (call: GuardedCall<Void?>, ours: ByteBuffer, at: Long, done: Int) -> Boolean,
    ): CompletionStage<Void> {
        val length = theirs.remaining()
        return perform { call ->
            if (length == 0) return@perform
            val size = minOf(length, limits.transferBytes)
            val lease = reserve.tryAcquire(size, (call.dueAt - timer.nanoTime()).nanoseconds) ?: throw timedOut()
            lease.use {
                for (done in 0 until length step size) {
                    val ours = lease.buffer().clear().limit(minOf(size, length - done))
                    if (!piece(call, ours, offset + done, done)) return@perform
                }
            }
        }
    }

    /** [submit] for calls without a result: Java's Void has one value, null, and a Java callback casts to it. */
    @Suppress("UNCHECKED_CAST")
    private inline fun perform(crossinline body: (GuardedCall<Void?>) -> Unit): CompletionStage<Void> =
        submit<Void?> { call ->
            body(call)
            null
        } as CompletionStage<Void>

    private fun <T> submit(body: (GuardedCall<T>) -> T): CompletableFuture<T> {
        val call = GuardedCall<T>(timer.nanoTime() + limits.deadline.inWholeNanoseconds)
        val refusal = synchronized(inFlight) {
            when {
                closed -> gone("closed", null)
                hanging > limits.hanging || inFlight.size >= limits.queued -> timedOut()
                else -> null
            }.also {
                if (it == null) {
                    inFlight += call
                    if (alarm == null) alarm = timer.schedule(call.dueAt, ::expire)
                    workers.execute(Work(call, body))
                }
            }
        }
        if (refusal != null) call.fail(refusal)
        return call
    }

    private fun expire() {
        val now = timer.nanoTime()
        val missed = ArrayList<GuardedCall<*>>()
        synchronized(inFlight) {
            if (closed) return
            val oldest = inFlight.iterator()
            while (oldest.hasNext()) {
                val call = oldest.next()
                if (call.dueAt - now > 0) break
                oldest.remove()
                missed += call
                if (call.taken) {
                    call.overdue = true
                    hanging++
                }
            }
            if (missed.isNotEmpty()) suspect = true
            workers.replaceHanging(hanging)
            alarm = inFlight.firstOrNull()?.let { timer.schedule(it.dueAt, ::expire) }
        }
        missed.forEach { it.fail(timedOut()) }
    }

    private fun take(call: GuardedCall<*>): Boolean =
        synchronized(inFlight) {
            call.taken = call.start()
            if (!call.taken) inFlight -= call
            call.taken
        }

    private fun settle(call: GuardedCall<*>) {
        synchronized(inFlight) {
            inFlight -= call
            if (call.overdue) workers.replaceHanging(--hanging)
            suspect = hanging > 0
        }
    }

    private fun gone(why: String, cause: Throwable?) = DeviceGoneException(info.id(), why, cause)

    private fun timedOut() = TimedOutException(info.id(), limits.deadline.toJavaDuration())

    private inner class Work<T>(private val call: GuardedCall<T>, private val body: (GuardedCall<T>) -> T) : Runnable {
        override fun run() {
            if (!take(call)) return
            try {
                val result = body(call)
                settle(call)
                call.answer(result)
            } catch (e: DeviceIoException) {
                settle(call)
                call.fail(e)
            } catch (e: Throwable) {
                settle(call)
                call.fail(gone("its driver failed: $e", e))
            }
        }
    }

    /** The device's own threads, made on demand; hanging ones are made up for, up to [GuardLimits.hanging]. */
    private inner class Workers : ThreadPoolExecutor(
        limits.threads,
        limits.threads + limits.hanging,
        10,
        TimeUnit.SECONDS,
        LinkedBlockingQueue(),
        threads(info.id()),
    ) {
        init {
            allowCoreThreadTimeOut(true)
        }

        fun replaceHanging(count: Int) {
            corePoolSize = limits.threads + minOf(count, limits.hanging)
        }

        /** On a thread of its own, as closing may hang as well. */
        override fun terminated() {
            threads(info.id()).newThread(::release).start()
        }
    }

    private fun release() {
        try {
            device.close()
            reserve.close()
            released.complete(null)
        } catch (e: Throwable) {
            released.completeExceptionally(e)
        }
    }

    private companion object {
        fun threads(id: String) =
            Thread.ofPlatform().daemon().inheritInheritableThreadLocals(false).name("device $id ", 0).factory()
    }
}

/**
 * Bounds of one [GuardedDevice].
 *
 * @property deadline for each call, from its start to its answer
 * @property threads calls at work at once
 * @property hanging unanswered calls past their deadline that are made up for with fresh threads; with more, new calls
 *   fail at once with [TimedOutException]
 * @property queued calls in flight, waiting ones included; more fail at once with [TimedOutException]
 * @property bufferBytes transfer buffers in use at once
 * @property transferBytes bytes handed to the device in one piece, a power of two no larger than [bufferBytes]
 * @property closeWait how long `close` waits for calls that are still in time
 */
public data class GuardLimits(
    val deadline: Duration = 30.seconds,
    val threads: Int = 16,
    val hanging: Int = 8,
    val queued: Int = 4096,
    val bufferBytes: Long = 4L shl 20,
    val transferBytes: Int = 512 shl 10,
    val closeWait: Duration = 2.seconds,
) {
    init {
        require(deadline.isPositive() && threads > 0 && hanging >= 0 && queued > 0)
        require(transferBytes.countOneBits() == 1 && transferBytes in 4096..bufferBytes) {
            "pieces of $transferBytes bytes from a reserve of $bufferBytes"
        }
    }
}
