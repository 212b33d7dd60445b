package dev.arraywright.hardware.memory.balloon

import dev.arraywright.hardware.memory.figures.MemoryCgroup
import dev.arraywright.hardware.memory.pressure.MemoryMonitor
import dev.arraywright.hardware.memory.source.Balloon
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.memory.MemoryPressure
import dev.arraywright.spi.memory.MemoryPressure.Level
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.atomic.AtomicLong
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/**
 * Gives memory back when there is pressure: asks the registered handlers in order of least harm, tells what came of it
 * ([rounds]), and lets them grow back, step by step, when it is over. Never two rounds at once. Thread-safe.
 */
public class BalloonDriver internal constructor(
    context: CoroutineContext,
    private val pressure: StateFlow<MemoryPressure>,
    private val refresh: suspend () -> Unit,
    private val options: BalloonOptions,
    private val time: TimeSource,
    private val io: CoroutineDispatcher,
    private val sys: SystemTree,
    private val proc: SystemTree,
    private val collector: HeapCollector,
    handlers: CoroutineDispatcher,
) : AutoCloseable {
    private val job = SupervisorJob(context[Job])
    private val clients = Clients(CoroutineScope(context + SupervisorJob(job) + handlers), options.deadline)
    private val reported = AtomicLong()
    private val told = MutableSharedFlow<PressureRound>(1, ROUNDS_KEPT, BufferOverflow.DROP_OLDEST)
    private var number = 0L
    private var collectedAt: TimeMark? = null
    private var relaxedAt: TimeMark? = null
    private var patience = 1
    private var vain = 1

    /** The rounds as they end, the last one first; a slow collector misses the oldest beyond 64. */
    public val rounds: SharedFlow<PressureRound> = told.asSharedFlow()

    /**
     * Answers [monitor]'s pressure until closed, or [context]'s job ends.
     *
     * @param handlers where handlers run: one that blocks holds up nobody else
     */
    public constructor(
        context: CoroutineContext,
        monitor: MemoryMonitor,
        options: BalloonOptions = BalloonOptions(),
        time: TimeSource = TimeSource.Monotonic,
        io: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(1),
        handlers: CoroutineDispatcher = Dispatchers.IO.limitedParallelism(4),
    ) : this(
        context,
        monitor.pressure,
        monitor::refresh,
        options,
        time,
        io,
        SystemTree.SYS,
        SystemTree.PROC,
        JvmCollector(),
        handlers,
    ) {
        monitor.reclaimableIs(clients::reclaimable)
    }

    /**
     * Why memory that is given back here is of use to nobody else: this is no guest with a balloon, and no cgroup
     * limits the process. Null if it is. Handlers are asked in either case. Reads some small files at first.
     */
    public val absence: String? by lazy {
        val lineages = listOf(MemoryCgroup.lineage(2, proc, sys), MemoryCgroup.lineage(1, proc, sys))
        val isLimited = lineages.any { lineage -> lineage.cgroups.any { it.tightest() != null } }
        if (Balloon.find(sys) != null || isLimited) {
            null
        } else {
            "${Balloon.ABSENCE}; " + lineages.joinToString("; ") { it.absence ?: "no limit from ${it.own?.path} up" }
        }
    }

    /** Whether this is a guest with a balloon, or a cgroup limits the process; [absence] says why not. */
    public val isAvailable: Boolean get() = absence == null

    init {
        CoroutineScope(context + job).launch { run() }
    }

    /**
     * From now on [handler] is asked too, until the result is closed.
     *
     * @param order handlers with lower ones are asked first: theirs does the least harm
     * @param share of what is asked of all with the same order, in proportion to theirs; at most a million
     */
    public fun registerPressureHandler(
        name: String,
        order: Int,
        share: Int = 1,
        handler: PressureHandler,
    ): AutoCloseable {
        require(share in 1..LARGEST_SHARE) { "a share of $share" }
        check(job.isActive) { "the balloon driver is closed" }
        return clients.add(name, order, share, handler)
    }

    /**
     * Tells of memory that was given back without being asked, or later than asked; it is in the next round's event.
     */
    public fun reportMemoryReleased(bytes: Long) {
        require(bytes >= 0) { "released $bytes bytes" }
        reported.addAndGet(bytes)
    }

    private suspend fun run() {
        while (true) {
            val now = pressure.value
            when {
                now.bytesToRelease() > 0 -> {
                    wasItGrowth()
                    round(now)
                    // What it was asked by is old now, and must not be asked for a second time.
                    refresh()
                    awaitWorse(now, options.interval * vain)
                }
                now.level() > Level.NONE -> pressure.first { it != now }
                else -> easing(now)
            }
        }
    }

    /** Returns early only for pressure that is worse. */
    private suspend fun awaitWorse(than: MemoryPressure, wait: Duration) {
        withTimeoutOrNull(wait) { pressure.first { it.level() > than.level() } }
    }

    private suspend fun round(now: MemoryPressure) {
        val start = time.markNow()
        val before = withContext(io) { MemoryMonitor.resident(proc) }
        val releases = clients.release(now)
        val missing = now.bytesToRelease() - releases.sumOf { it.released }
        val heap = if (missing > 0 && now.level() == Level.CRITICAL) collect() else null
        val after = withContext(io) { MemoryMonitor.resident(proc) }
        val others = reported.getAndSet(0)
        val round = PressureRound(++number, now, releases, others, before, after, heap, start.elapsedNow())
        // Who has nothing left is asked ever less often.
        vain = if (round.released > 0) 1 else minOf(vain * 2, SLOWEST)
        told.tryEmit(round)
    }

    private suspend fun collect(): HeapRelease? {
        val last = collectedAt
        if (!options.collectHeap) return null
        if (last != null && last.elapsedNow() < options.collectEvery) return null
        collectedAt = time.markNow()
        return withContext(io) { collector.collect() }
    }

    /** Pressure soon after growing back is likely to come from it: the next time more slowly. */
    private fun wasItGrowth() {
        val relaxed = relaxedAt ?: return
        patience = if (relaxed.elapsedNow() < options.easeAfter) minOf(patience * 2, SLOWEST) else 1
        relaxedAt = null
    }

    private suspend fun easing(now: MemoryPressure) {
        if (calmFor(now, options.easeAfter)) {
            while (!clients.relax()) {
                relaxedAt = time.markNow()
                if (!calmFor(now, options.easeEvery * patience)) return
            }
            pressure.first { it != now }
        }
    }

    private suspend fun calmFor(now: MemoryPressure, wait: Duration): Boolean =
        withTimeoutOrNull(wait) { pressure.first { it != now } } == null

    /** Ends the work; a handler that is at it is cancelled, and not waited for. */
    override fun close() {
        job.cancel(CancellationException("the balloon driver was closed"))
    }

    private companion object {
        const val ROUNDS_KEPT = 64
        const val SLOWEST = 16
        const val LARGEST_SHARE = 1_000_000
    }
}
