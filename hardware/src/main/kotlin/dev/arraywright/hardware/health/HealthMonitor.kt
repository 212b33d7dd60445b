package dev.arraywright.hardware.health

import dev.arraywright.hardware.health.history.HistoryFiles
import dev.arraywright.hardware.health.watch.BoundedReads
import dev.arraywright.hardware.health.watch.DeviceWatch
import dev.arraywright.hardware.health.watch.EventDiff
import dev.arraywright.hardware.health.watch.HistoryKeeper
import dev.arraywright.spi.device.DeviceHealth
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import kotlin.coroutines.CoroutineContext
import kotlin.time.Clock
import kotlin.time.TimeSource

/**
 * Watches the health of devices: reads each every few minutes, sooner while there is something against it, holds what
 * it read against the policy and the device's own history, and tells what changes. A device that hangs costs a thread
 * of [io] for each probe that it hangs in, and shows as suspect and stale. Thread-safe.
 *
 * @param context its job is the parent; ends with it, or by [close], neither of which waits for devices
 * @param targets the devices, whenever they change
 * @param probes in order of preference; of those that are the device's own word the first that tells is enough
 * @param histories a directory where histories outlive the process; null to keep them in memory
 * @param io for what blocks
 */
public class HealthMonitor(
    context: CoroutineContext,
    targets: Flow<Collection<HealthTarget>>,
    private val probes: List<HealthProbe>,
    private val policy: StateFlow<HealthPolicy>,
    private val clock: Clock,
    private val time: TimeSource,
    histories: Path? = null,
    io: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(THREADS),
) : AutoCloseable {
    private class Watched(val watch: DeviceWatch, val job: Job)

    private val job = SupervisorJob(context[Job])
    private val scope = CoroutineScope(context + job)
    private val reads = BoundedReads(io)
    private val files = histories?.let { HistoryFiles(it) }
    private val watched = ConcurrentHashMap<String, Watched>()
    private val shown = MutableStateFlow<Map<String, HealthReport>>(emptyMap())

    init {
        require(probes.distinctBy { it.source }.size == probes.size) { "two probes of one source" }
        job.invokeOnCompletion { reads.close() }
        scope.launch { targets.collect { follow(it) } }
    }

    /** What is known of each device watched, by id. */
    public val reports: StateFlow<Map<String, HealthReport>> = shown.asStateFlow()

    /**
     * Each change of what is held against a device, once and in order; first what is held against them now. A slow
     * subscriber is told what became of it all in the end, and holds nobody up. Never completes.
     */
    public val events: Flow<HealthEvent> = flow {
        var before = emptyMap<String, HealthReport>()
        shown.collect { after ->
            val changes = EventDiff.between(before, after)
            before = after
            for (change in changes) emit(change)
        }
    }

    /** The verdict on a device as of its latest reading. Returns at once. */
    public fun health(id: String): DeviceHealth = shown.value[id]?.health ?: DeviceHealth.UNKNOWN

    /** Why a device is predicted to fail; null if it is not, or not watched. Returns at once. */
    public fun predictedFailure(id: String): String? = shown.value[id]?.predictedFailure

    /** Reads a device now, and returns once that is judged; null if it is not watched. */
    public suspend fun check(id: String): HealthReport? = watched[id]?.watch?.look()

    /** Ends all watching. Twice is fine. */
    override fun close() {
        job.cancel()
        reads.close()
    }

    private fun follow(devices: Collection<HealthTarget>) {
        val wanted = devices.associateBy { it.id }
        for (id in watched.keys - wanted.keys) {
            watched.remove(id)?.job?.cancel()
            shown.update { it - id }
        }
        for ((id, target) in wanted) {
            val known = watched[id]
            if (known == null) begin(target) else known.watch.target = target
        }
    }

    private fun begin(target: HealthTarget) {
        lateinit var watch: DeviceWatch
        val keeper = HistoryKeeper(target.id, files, clock, reads)
        watch = DeviceWatch(target, probes, policy, clock, time, keeper, reads) { report ->
            // A check may end after its device has gone, or the monitor is closed.
            shown.update { if (current(watch, target.id)) it + (target.id to report) else it }
        }
        val running = scope.launch(start = CoroutineStart.LAZY) { watch.run() }
        watched[target.id] = Watched(watch, running)
        shown.update { it + (target.id to HealthReport(target)) }
        running.start()
    }

    private fun current(watch: DeviceWatch, id: String) = job.isActive && watched[id]?.watch === watch

    private companion object {
        /** As many devices may hang before others wait. */
        const val THREADS = 16
    }
}
