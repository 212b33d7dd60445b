package dev.arraywright.hardware.memory.pressure

import dev.arraywright.hardware.linux.OptionalPoller
import dev.arraywright.hardware.memory.source.Sources
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.memory.MemoryPressure
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.atomic.AtomicLong
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.TimeSource

/**
 * Watches how short of memory the machine, or the process's share of it, is: stalls (PSI), the limits and levels of its
 * cgroups, what is available and the hypervisor's balloon, each only where the machine has it ([status] says why not).
 *
 * Idle, it reads `meminfo` once a [MemoryOptions.period], one file more for each cgroup above the process that has a
 * limit, and `vmstat` where there is a balloon that an older kernel shows only there; the rest wakes it.
 */
public class MemoryMonitor internal constructor(
    context: CoroutineContext,
    private val proc: SystemTree,
    private val options: MemoryOptions,
    private val time: TimeSource,
    private val io: CoroutineDispatcher,
    private val makeSources: () -> List<PressureSource>,
    private val release: () -> Unit = {},
) : AutoCloseable {
    private val job = SupervisorJob(context[Job])
    private val wakes = Channel<Unit>(Channel.CONFLATED)

    /** Counts the calls of [refresh]; those up to [answered] have what they wait for. */
    private val asked = AtomicLong()
    private val answered = MutableStateFlow(0L)
    private val told = MutableStateFlow(MemoryPressure.NONE)
    private val statuses = MutableStateFlow(emptyList<PressureSourceStatus>())

    @Volatile private var reclaimable: () -> Long = { resident(proc) ?: 0 }

    /** The pressure now: debounced, with hysteresis. A slow collector misses what is past, never what is. */
    public val pressure: StateFlow<MemoryPressure> = told.asStateFlow()

    /** What the pressure is judged by, and why by nothing else; empty until the sources were opened. */
    public val status: StateFlow<List<PressureSourceStatus>> = statuses.asStateFlow()

    /** Watches the running machine until closed, or [context]'s job ends. */
    public constructor(
        context: CoroutineContext,
        options: MemoryOptions = MemoryOptions(),
        time: TimeSource = TimeSource.Monotonic,
        io: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(1),
    ) : this(context, options, time, io, lazy { OptionalPoller() }, { if (it.isInitialized()) it.value.close() })

    /** The same, with a poller that is the caller's. */
    internal constructor(context: CoroutineContext, options: MemoryOptions, poller: OptionalPoller) :
        this(context, options, TimeSource.Monotonic, Dispatchers.IO.limitedParallelism(1), lazyOf(poller), {})

    private constructor(
        context: CoroutineContext,
        options: MemoryOptions,
        time: TimeSource,
        io: CoroutineDispatcher,
        poller: Lazy<OptionalPoller>,
        release: (Lazy<OptionalPoller>) -> Unit,
    ) : this(
        context,
        SystemTree.PROC,
        options,
        time,
        io,
        { poller.value.let { Sources.of(SystemTree.SYS, SystemTree.PROC, options, it.poller, it.absence) } },
        { release(poller) },
    )

    init {
        job.invokeOnCompletion { answered.value = Long.MAX_VALUE }
        // all of it where it may block, as each change of threads is one more wake-up
        CoroutineScope(context + job).launch(io) { run() }
    }

    /** Looks at all sources now rather than when it is time; returns when [pressure] tells the result. */
    public suspend fun refresh() {
        val mine = asked.incrementAndGet()
        wakes.trySend(Unit)
        answered.first { it >= mine }
    }

    /** From now on a stall asks for a part of [bytes], not of all memory that the process has. */
    internal fun reclaimableIs(bytes: () -> Long) {
        reclaimable = bytes
    }

    private suspend fun run() {
        var sources = emptyList<PressureSource>()
        try {
            sources = makeSources()
            statuses.value = sources.map { it.open { wakes.trySend(Unit) } }
            watch(sources.zip(statuses.value).mapNotNull { (source, status) -> source.takeIf { status.active } })
        } finally {
            answered.value = Long.MAX_VALUE
            withContext(NonCancellable + io) {
                sources.forEach(PressureSource::close)
                release()
            }
        }
    }

    private suspend fun watch(active: List<PressureSource>) {
        val start = time.markNow()
        var judgement = Judgement.NONE
        val judge = PressureJudge(options.debounce, options.hold)
        while (true) {
            val answering = asked.get()
            val now = start.elapsedNow()
            val moment = Moment(now, proc, reclaimable)
            val demands = active.map { it.look(moment) }
            judgement = judge.judge(judgement, demands, now)
            told.value = judgement.pressure
            answered.value = answering
            withTimeoutOrNull(wait(active, judgement)) { wakes.receive() }
            delay(options.gap - (start.elapsedNow() - now))
            wakes.tryReceive() // what came meanwhile is looked at now
        }
    }

    /** Until the next look; for ever if there is nothing to look at. */
    private fun wait(active: List<PressureSource>, judgement: Judgement): Duration =
        when {
            active.isEmpty() -> Duration.INFINITE
            else -> minOf(options.period, judgement.recheck ?: options.period)
        }

    /** Ends the watch; [pressure] stays as it is. */
    override fun close() {
        job.cancel(CancellationException("the memory monitor was closed"))
    }

    internal companion object {
        /** Bytes of this process that are in memory. */
        fun resident(proc: SystemTree): Long? =
            proc.lines("self/status").find { it.startsWith("VmRSS:") }
                ?.removePrefix("VmRSS:")?.trim()?.removeSuffix(" kB")?.toLongOrNull()?.times(1024)
    }
}
