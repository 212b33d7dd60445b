package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.hardware.memory.BorrowedBuffers
import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverOptions
import dev.arraywright.kernel.driver.isolate.CallOutcome
import dev.arraywright.kernel.driver.isolate.DriverCall
import dev.arraywright.kernel.driver.isolate.DriverLoader
import dev.arraywright.kernel.driver.isolate.LoadedDriver
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.kernel.driver.isolate.leak.LeakReport
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.DriverScanner
import dev.arraywright.kernel.driver.upgrade.HandOver
import dev.arraywright.kernel.driver.upgrade.NewOpening
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.kernel.event.DriverFailed
import dev.arraywright.kernel.event.DriverLeaked
import dev.arraywright.kernel.event.DriverLoaded
import dev.arraywright.kernel.event.DriverQuarantined
import dev.arraywright.kernel.event.DriverUnloaded
import dev.arraywright.kernel.event.DriverWaiting
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.driver.StorageDriver
import dev.arraywright.spi.memory.BufferAllocator
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.TimeSource

/** A kernel's [DriverHouse]. */
internal class KernelHouse(
    private val options: DriverOptions,
    private val scope: CoroutineScope,
    private val buffers: BufferPool,
    private val events: EventStream,
    private val scanner: DriverScanner,
    private val loader: DriverLoader,
    override val time: TimeSource.WithComparableMarks,
    override val random: Random,
) : DriverHouse {
    private val loading = Mutex()
    private val leaks = AtomicInteger()

    /** Told of each change. */
    @Volatile var onChange: () -> Unit = {}

    /** Told of each driver that fails while it runs, before anything is done about it. */
    @Volatile var onFailure: (DriverInfo) -> Unit = {}

    /** As [unmet]. */
    @Volatile var requirements: (DriverInfo) -> String? = { null }

    /** Instances that were let go of and stayed in memory. */
    val leaked: Int get() = leaks.get()

    override val deadlines: DriverDeadlines get() = options.deadlines
    override val policy: CrashPolicy get() = options.crashes

    override suspend fun load(candidate: DriverCandidate, again: Boolean): DriverInstance {
        // Before its turn, so that nobody waits for a jar on a disk that does not answer.
        if (again) requireSame(candidate)
        val name = candidate.info.name
        val most = options.maxBuffers ?: (buffers.limit() / 2)
        return loading.withLock {
            val loaded = loader.load(candidate.jar, candidate.info.entryType)
            requireSame(candidate, loaded)
            IsolatedInstance(name, loaded, options.leakPatience, InstanceBuffers(name, BorrowedBuffers(buffers, most)))
        }
    }

    override fun context(driver: String, settings: Map<String, String>): DriverContext =
        Context(settings, buffers, System.getLogger("arraywright.driver.$driver"))

    override suspend fun handOver(turns: List<Turn>, onSwitch: () -> Unit): List<UpgradeReport> {
        val parts = turns.map { it.port.part(it.to, if (it.beside) NewOpening.BESIDE else NewOpening.PAUSED) }
        return HandOver(parts).run {
            turns.forEach { it.port.serve(it.to) }
            onSwitch()
        }
    }

    override fun unmet(info: DriverInfo): String? = requirements(info)

    override fun changed(): Unit = onChange()

    override fun running(driver: DriverSupervisor) {
        val info = driver.info
        val took = driver.loadTime ?: Duration.ZERO
        val jar = driver.candidate.jar.toString()
        events.emit(
            DriverLoaded(info.name, "${info.version}", jar, info.supportedDevices, took.inWholeMilliseconds),
        )
    }

    override fun failing(driver: DriverSupervisor): Unit = onFailure(driver.info)

    override fun crashed(driver: DriverSupervisor, why: String, restartIn: Duration) {
        events.emit(DriverFailed(driver.info.name, why, restartIn.inWholeMilliseconds))
    }

    override fun quarantined(driver: DriverSupervisor, why: String, failures: Int) {
        events.emit(DriverQuarantined(driver.info.name, why, failures))
    }

    override fun waiting(driver: DriverSupervisor, why: String) {
        events.emit(DriverWaiting(driver.info.name, why))
    }

    override fun watch(info: DriverInfo, released: DriverInstance) {
        scope.launch { (released.gone() as? LeakOutcome.Leaked)?.let { leaked(info, it.report) } }
    }

    override suspend fun proof(info: DriverInfo, released: DriverInstance): String? =
        when (val outcome = released.gone()) {
            LeakOutcome.Collected -> {
                events.emit(DriverUnloaded(info.name, "${info.version}"))
                null
            }
            is LeakOutcome.Leaked -> {
                leaked(info, outcome.report)
                outcome.report.toString() + released.leftBehind?.let { "\n  kept out of use: $it" }.orEmpty()
            }
        }

    private fun leaked(info: DriverInfo, report: LeakReport) {
        leaks.incrementAndGet()
        val holders = report.holders.map { "${it.kind.title}: ${it.what}" }
        events.emit(DriverLeaked(info.name, "${info.version}", holders))
    }

    private suspend fun requireSame(candidate: DriverCandidate) {
        val limit = options.loaderLimits.deadline
        val now = when (
            val scan = DriverCall.apart("scan ${candidate.jar}", null, limit) {
                scanner.scan(candidate.jar)
            }
        ) {
            is CallOutcome.Returned -> scan.value
            is CallOutcome.Failed -> throw unread(candidate, scan.failure.message)
            is CallOutcome.Late -> throw unread(candidate, "its jar could not be read within $limit")
        }
        if (now.candidates.any { it.info == candidate.info }) return
        val why = now.rejected.firstOrNull()?.let { "${it.jar} ${it.why}" } ?: "its jar is another one by now"
        throw KernelError.DriverUnusable("cannot load the driver ${candidate.info} again", why, "load the jar anew")
    }

    private fun unread(candidate: DriverCandidate, why: String) = KernelError.DriverUnusable(
        "cannot load the driver ${candidate.info} again",
        why,
        "check the disk or network that its jar is on",
    )

    /** What a scan has found and what is loaded are read one after the other. */
    private fun requireSame(candidate: DriverCandidate, loaded: LoadedDriver) {
        val type = loaded.driver.javaClass
        val info = type.getAnnotation(StorageDriver::class.java)?.let { DriverInfo.of(it, type.name) }
        if (info == candidate.info) return
        loaded.close()
        throw KernelError.DriverUnusable(
            "cannot load the driver ${candidate.info}",
            "its jar is another one by now, with ${info ?: "no driver"}",
            "try again once it is whole",
        )
    }

    private class Context(
        private val settings: Map<String, String>,
        private val buffers: BufferAllocator,
        private val logger: System.Logger,
    ) : DriverContext {
        override fun settings(): Map<String, String> = settings

        override fun buffers(): BufferAllocator = buffers

        override fun logger(): System.Logger = logger
    }
}
