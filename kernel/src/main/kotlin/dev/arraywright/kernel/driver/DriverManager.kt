package dev.arraywright.kernel.driver

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.driver.lifecycle.Admission
import dev.arraywright.kernel.driver.lifecycle.Dependencies
import dev.arraywright.kernel.driver.lifecycle.DriverEntry
import dev.arraywright.kernel.driver.lifecycle.DriverRoster
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.lifecycle.DriverSupervisor
import dev.arraywright.kernel.driver.lifecycle.KernelHouse
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.DriverScanner
import dev.arraywright.kernel.driver.scan.ScanResult
import dev.arraywright.kernel.driver.serve.BuiltIns
import dev.arraywright.kernel.driver.serve.DeviceUsers
import dev.arraywright.kernel.driver.source.DriverFolder
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.DriverUnloadFailed
import dev.arraywright.kernel.event.DriverUpgraded
import dev.arraywright.kernel.event.EventStream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.nio.file.Path
import java.util.Collections
import kotlin.io.path.isDirectory
import kotlin.io.path.name
import kotlin.time.Duration

/**
 * The drivers that are loaded at run time, each with a class loader and a supervisor of its own; see [DriverState] for
 * their life. Thread-safe. Which driver is loaded and which one goes is decided one at a time; what takes a driver's
 * time holds up nothing but that driver. What cannot be done is refused with a [KernelError] and told by an event.
 */
public class DriverManager internal constructor(
    private val scope: CoroutineScope,
    private val scanner: DriverScanner,
    private val house: KernelHouse,
    private val roster: DriverRoster,
    private val admission: Admission,
    private val users: DeviceUsers,
    private val events: EventStream,
    private val builtIns: BuiltIns,
    private val stranded: () -> Int,
) {
    private val changing = Mutex()

    @Volatile
    private var closed = false

    /** What has the drivers follow their directory and the machine; null without a directory. */
    internal var folder: DriverFolder? = null

    init {
        house.onChange = roster::refresh
        users.advise { scheme ->
            roster.offering(scheme)?.let { (info, jar) ->
                "load the driver ${info.name} from $jar, which serves $scheme:"
            }
        }
    }

    /**
     * The drivers by name: those that are loaded, those that are gone but in memory still, and those that a scan of the
     * drivers' directory has found or, by the jar's name, rejected. Figures of calls are as of the latest change or
     * health check; see [status].
     */
    public val drivers: StateFlow<Map<String, DriverStatus>> get() = roster.drivers

    /** The drivers that come with Arraywright as they are now, by their names; they are not among [drivers]. */
    public val builtIn: List<DriverStatus> get() = builtIns.statuses

    /** How all drivers do, now. */
    public val statistics: DriverStatistics get() = roster.statistics(house.leaked, stranded())

    /** How a driver is now, a built-in one, too; null if there is none of that name. */
    public fun status(name: String): DriverStatus? {
        builtIns[name]?.let { return it }
        roster.refresh()
        return drivers.value[name]
    }

    /** What drivers are in a jar, or in the jars of a directory; no code of them is run. */
    public suspend fun scan(path: Path): ScanResult = withContext(Dispatchers.IO) {
        if (path.isDirectory()) scanner.scanDirectory(path) else scanner.scan(path)
    }

    /**
     * Loads a driver and starts it; it runs when this returns.
     *
     * @param type its class, where the jar has several drivers
     * @param settings instead of those that are configured, as far as they are given
     */
    public suspend fun load(jar: Path, type: String? = null, settings: Map<String, String> = emptyMap()): DriverHandle =
        start(candidate(jar, type), settings)

    /**
     * Loads all drivers of [jars] that are not loaded, each after those that it requires, others side by side. One that
     * cannot be loaded keeps those from it that require it, and no others.
     */
    public suspend fun loadAll(jars: List<Path>): LoadReport {
        val failures = Collections.synchronizedList(mutableListOf<DriverFailure>())
        val wanted = mutableListOf<DriverCandidate>()
        for (jar in jars) {
            val result = scan(jar)
            result.rejected.forEach { failures += DriverFailure(it.jar.name, rejection(it.jar, it.why)) }
            wanted += result.candidates
        }
        return loadFound(wanted, failures)
    }

    /** As [loadAll], of what a scan has found. */
    internal suspend fun loadFound(
        candidates: List<DriverCandidate>,
        failures: MutableList<DriverFailure> = Collections.synchronizedList(mutableListOf()),
    ): LoadReport {
        failures.forEach { events.emit(DriverLoadFailed(it.name, it.error.why)) }
        val byName = candidates.filter { it.info.name !in roster.present() }.associateBy { it.info.name }
        for (second in candidates.filter { byName[it.info.name].let { first -> first != null && first != it } }) {
            val taken = byName.getValue(second.info.name)
            val why = "${taken.jar} has a driver of that name, too"
            failures += told(second, KernelError.InUse("cannot load the driver ${second.info} of ${second.jar}", why))
        }
        val order = Dependencies.order(byName.values.map { it.info }, roster.present()) { info, error ->
            failures += told(byName.getValue(info.name), error)
        }
        val handles = Collections.synchronizedMap(mutableMapOf<String, DriverHandle>())
        coroutineScope {
            val jobs = mutableMapOf<String, Job>()
            for (info in order) {
                val needed = info.requires.mapNotNull { jobs[it.name] }
                jobs[info.name] = launch {
                    needed.forEach { it.join() }
                    try {
                        handles[info.name] = start(byName.getValue(info.name), emptyMap())
                    } catch (e: KernelError) {
                        failures += DriverFailure(info.name, e)
                    }
                }
            }
        }
        return LoadReport(order.mapNotNull { handles[it.name] }, failures.toList())
    }

    /**
     * Ends a driver and closes its class loader. Whether nothing of it is left in memory is found out afterwards, and
     * told by its handle's state and an event.
     *
     * @param failDevices its open devices are failed, in the arrays and among the spares that have them; otherwise
     *   unloading is refused while there are any
     */
    public suspend fun unload(name: String, failDevices: Boolean = false) {
        val entry = try {
            builtIns.requireOther(name, "unload")
            changing.withLock { admission.release(name, failDevices) }
        } catch (e: KernelError) {
            events.emit(DriverUnloadFailed(name, e.why))
            throw e
        }
        withContext(NonCancellable) {
            for (device in entry.port.open) users.gone(device.address, "its driver $name is unloaded")
            end(entry)
        }
    }

    /**
     * Replaces a running driver by another version of it, under its open devices: the new one is loaded and started
     * beside the old one, calls wait while all devices are opened anew and switched, and the old one is unloaded. If
     * anything fails on the way, the old one goes on.
     */
    public suspend fun upgrade(name: String, jar: Path, type: String? = null): UpgradeReport {
        builtIns.requireOther(name, "upgrade")
        val next = candidate(jar, type, name)
        try {
            val change = changing.withLock { admission.upgrade(name, next) }
            val from = change.entry.info.version
            val report = change.entry.supervisor.replace(next, change.settings)
            changing.withLock { admission.offer(change.entry) }
            val pause = report.longestPause.inWholeMicroseconds
            events.emit(DriverUpgraded(name, "$from", "${next.info.version}", report.devices, pause))
            return report
        } catch (e: KernelError) {
            throw e.also { told(next, it) }
        }
    }

    /** Settings change while drivers run; what cannot be changed stays as it was, and is returned. */
    internal suspend fun configure(drivers: Map<String, DriverConfiguration>, most: Int?): List<KernelError> {
        val changes = changing.withLock { admission.configure(drivers, most) }
        val failures = mutableListOf<KernelError>()
        for ((entry, settings) in changes) {
            try {
                entry.supervisor.configure(settings())
            } catch (e: KernelError) {
                failures += e
            }
        }
        return failures
    }

    /** Why a driver that is loaded cannot take what is configured for it in [drivers]; null if all can. */
    internal suspend fun refusal(drivers: Map<String, DriverConfiguration>): KernelError? =
        changing.withLock { admission.refusal(drivers) }

    /** What is in the drivers' directory now; those that are not loaded are shown as such. */
    internal fun found(result: ScanResult): Unit = roster.found(result)

    /** Ends all drivers, those first that need others; within [bound], and without a look at what stays in memory. */
    internal suspend fun close(bound: Duration): List<String> {
        val entries = changing.withLock {
            closed = true
            roster.all.onEach { it.leaving = true }
        }
        withTimeoutOrNull(bound) {
            coroutineScope {
                val jobs = mutableMapOf<String, Job>()
                for (entry in admission.inOrder(entries).reversed()) {
                    val needing = Dependencies.neededBy(entry.info.name, entries.map { it.info }).map { jobs[it.name] }
                    jobs[entry.info.name] = launch {
                        needing.forEach { it?.join() }
                        try {
                            end(entry, proven = false)
                        } catch (_: KernelError.Closed) {
                            // Somebody unloads it already.
                        }
                    }
                }
            }
        }
        return roster.all.map { "the driver ${it.info.name} did not end within $bound" }
    }

    private suspend fun end(entry: DriverEntry, proven: Boolean = true) {
        val troubles = entry.supervisor.unload(proven)
        changing.withLock {
            admission.withdraw(entry)
            roster.remove(entry)
        }
        if (troubles.isNotEmpty()) events.emit(DriverUnloadFailed(entry.info.name, troubles.joinToString("; ")))
    }

    private suspend fun start(candidate: DriverCandidate, settings: Map<String, String>): DriverHandle {
        try {
            builtIns.requireOther(candidate.info.name, "load")
            awaitRequired(candidate.info)
            val change = changing.withLock {
                if (closed) throw KernelError.Closed()
                admission.load(candidate, settings) { it.launchIn(scope) }
            }
            val supervisor = change.entry.supervisor
            try {
                supervisor.load(candidate, change.settings)
            } catch (e: KernelError) {
                // Another driver may serve what this one does not.
                if (!change.entry.running) changing.withLock { admission.withdraw(change.entry) }
                throw e
            }
            return DriverHandle(supervisor)
        } catch (e: KernelError) {
            throw e.also { told(candidate, it) }
        }
    }

    /** Those that are about to run are waited for; they have deadlines. */
    private suspend fun awaitRequired(info: DriverInfo) {
        for (need in info.requires) {
            roster[need.name]?.supervisor?.state?.first { it !in ON_THE_WAY }
        }
    }

    private suspend fun candidate(jar: Path, type: String?, name: String? = null): DriverCandidate {
        val result = withContext(Dispatchers.IO) { scanner.scan(jar) }
        val error = result.rejected.firstOrNull()?.let { rejection(jar, it.why) }
        val fitting = result.candidates.filter {
            (type == null || it.info.entryType == type) && (name == null || it.info.name == name)
        }
        if (error == null && fitting.size == 1) return fitting.single()
        throw (error ?: choice(jar, type ?: name, result.candidates)).also {
            events.emit(DriverLoadFailed(jar.toString(), it.why, name))
        }
    }

    private fun rejection(jar: Path, why: String) =
        KernelError.DriverUnusable("cannot load a driver of ${jar.name}", "it $why", "get a sound jar from its author")

    private fun choice(jar: Path, wanted: String?, all: List<DriverCandidate>): KernelError {
        val what = "cannot load a driver of ${jar.name}"
        val has = all.joinToString { "${it.info.name} (${it.info.entryType})" }
        return when {
            all.isEmpty() -> KernelError.NotFound(what, "it announces none", "name a jar with a @StorageDriver in it")
            wanted == null -> KernelError.InvalidRequest(what, "it has several: $has", "say which one, by its class")
            else -> KernelError.NotFound(what, "it has no $wanted; it has $has", "name one of these")
        }
    }

    private fun told(candidate: DriverCandidate, error: KernelError): DriverFailure {
        events.emit(DriverLoadFailed(candidate.jar.toString(), error.why, candidate.info.name))
        return DriverFailure(candidate.info.name, error)
    }

    private companion object {
        val ON_THE_WAY = setOf(
            DriverState.Discovered,
            DriverState.Loading,
            DriverState.Loaded,
            DriverState.Initializing,
            DriverState.Initialized,
            DriverState.Starting,
        )
    }
}
