package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.hotplug.Hotplug
import dev.arraywright.hardware.hotplug.Pending
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/**
 * The machine's devices as they come, go and change. On Linux the kernel tells of changes, which show here well within
 * a second; elsewhere it is looked every five seconds. Nothing fails for what a platform lacks: [status] tells.
 * Thread-safe. [close] ends it.
 */
public class HardwareMonitor internal constructor(
    context: CoroutineContext,
    private val probe: Probe,
    private val hotplug: Hotplug?,
    private val io: CoroutineDispatcher,
    private val time: TimeSource,
    private val pace: MonitorPace = MonitorPace(),
    polling: String? = null,
) : AutoCloseable {
    private val job = SupervisorJob(context[Job])

    // No child: a read that the kernel never answers must not hold up whoever waits for the end of the monitor.
    private val looks = SupervisorJob()
    private val wake = Channel<Unit>(Channel.CONFLATED)
    private val pending = Pending(time, pace.coalescing) { wake.trySend(Unit) }
    private val hung = HungLooks(pace.hanging)
    private val closed = AtomicBoolean()
    private val period = if (hotplug == null) pace.polling else pace.safetyNet
    private var sight = Sight.NOTHING
    private var nextFull: TimeMark = time.markNow()

    private val state = MutableStateFlow<Map<DeviceId, HardwareDevice>>(emptyMap())
    private val health = MutableStateFlow(MonitorStatus(probe.name, hotplug?.name ?: "polling", polling))

    /** All devices by id; empty until the first look is done. Maps and devices are immutable. */
    public val devices: StateFlow<Map<DeviceId, HardwareDevice>> = state.asStateFlow()

    /** How it is known, and whether it may be out of date. */
    public val status: StateFlow<MonitorStatus> = health.asStateFlow()

    /**
     * The steps of [devices], for each collector its own: first what is there is [HardwareChange.Added], then what
     * changes. Whoever is slow sees fewer, larger steps, and after each batch of them has what [devices] had.
     */
    public val changes: Flow<HardwareChange> = flow {
        var before: Map<DeviceId, HardwareDevice> = emptyMap()
        devices.collect { after ->
            for (change in HardwareChange.between(before, after)) emit(change)
            before = after
        }
    }

    init {
        job.invokeOnCompletion { end() }
        hotplug?.start(pending::add)
        CoroutineScope(context + job).launch { run() }
    }

    /** Looks at everything; returns when what was seen is in [devices]. Throws [IOException] if it cannot be looked. */
    public suspend fun rescan(): Unit = pending.ask(null).await()

    /** Looks at one device, by its [HardwareDevice.sysPath], and at what it is connected with; else as above. */
    public suspend fun rescan(sysPath: String): Unit = pending.ask(sysPath).await()

    /** Nothing changes afterwards. Does not wait for a look that hangs. */
    override fun close() {
        job.cancel()
        end()
    }

    private fun end() {
        if (!closed.compareAndSet(false, true)) return
        looks.cancel()
        hotplug?.close()
        pending.close()
    }

    private suspend fun run() {
        while (true) {
            val full = -nextFull.elapsedNow()
            val wait = minOf(full, pending.dueIn() ?: full)
            when {
                wait > Duration.ZERO -> withTimeoutOrNull(wait) { wake.receive() }
                hung.full -> blind()
                else -> look(pending.take())
            }
        }
    }

    private suspend fun look(batch: Pending.Batch) {
        val all = batch.everything || nextFull.hasPassedNow()
        if (all) nextFull = time.markNow() + period
        val began = time.markNow()
        try {
            while (!hung.full) {
                val look = Look(sight, batch.paths.takeUnless { all }, hung.paths)
                val seen = within(look) ?: continue
                show(seen, all, began, batch.since)
                for (one in batch.asked) one.complete(Unit)
                return
            }
            failed(IOException(hung.toString()), batch)
        } catch (e: CancellationException) {
            for (one in batch.asked) one.completeExceptionally(IOException("the hardware monitor is closed"))
            throw e
        } catch (e: Exception) {
            failed(e, batch)
        }
    }

    /** Null past the deadline; what the look hangs at is known then. */
    private suspend fun within(look: Look): Sight? {
        val going = CoroutineScope(io + looks).async { probe.look(look) }
        withTimeoutOrNull(pace.deadline) { going.await() }?.let { return it }
        hung.add(look)
        going.invokeOnCompletion {
            hung.remove(look)
            pending.ask(null)
        }
        return null
    }

    private fun show(seen: Sight, all: Boolean, began: TimeMark, since: TimeMark?) {
        sight = seen
        state.value = seen.devices
        health.update {
            it.copy(
                degraded = hung.toString().takeUnless { hung.paths.isEmpty() },
                fullLooks = it.fullLooks + if (all) 1 else 0,
                partialLooks = it.partialLooks + if (all) 0 else 1,
                overflows = pending.overflows,
                forged = pending.forged,
                lookTime = began.elapsedNow(),
                latency = since?.elapsedNow() ?: it.latency,
            )
        }
    }

    private fun failed(cause: Exception, batch: Pending.Batch) {
        nextFull = time.markNow() + minOf(pace.retry, period)
        health.update { it.copy(degraded = cause.message ?: cause.toString(), overflows = pending.overflows) }
        for (one in batch.asked) one.completeExceptionally(IOException("the devices cannot be looked at", cause))
    }

    /** Every look that may hang does; one that returns asks for the next. */
    private suspend fun blind() {
        failed(IOException(hung.toString()), pending.take())
        withTimeoutOrNull(pace.retry) { wake.receive() }
    }

    /** Where monitors come from. */
    public companion object
}
