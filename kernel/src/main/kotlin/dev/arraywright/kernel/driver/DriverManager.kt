package dev.arraywright.kernel.driver

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.DriverConfiguration
import dev.arraywright.kernel.driver.lifecycle.Admission
import dev.arraywright.kernel.driver.lifecycle.Dependencies
import dev.arraywright.kernel.driver.lifecycle.Dependents
import dev.arraywright.kernel.driver.lifecycle.DriverEntry
import dev.arraywright.kernel.driver.lifecycle.DriverRoster
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.lifecycle.KernelHouse
import dev.arraywright.kernel.driver.lifecycle.UpgradeAdmission
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.DriverScanner
import dev.arraywright.kernel.driver.scan.ScanResult
import dev.arraywright.kernel.driver.serve.BuiltIns
import dev.arraywright.kernel.driver.serve.DeviceUsers
import dev.arraywright.kernel.driver.source.DriverFolder
import dev.arraywright.kernel.driver.upgrade.GroupUpgradeReport
import dev.arraywright.kernel.driver.upgrade.UpgradeReport
import dev.arraywright.kernel.event.DriverUnloadFailed
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
import kotlin.io.path.isDirectory
import kotlin.io.path.name
import kotlin.time.Duration

/**
 * The drivers that are loaded at run time, each with a class loader and a supervisor of its own; see [DriverState] for
 * their life. Thread-safe. Which driver is loaded and which one goes is decided one at a time; what takes a driver's
 * time holds up nothing but that driver. What cannot be done is refused with a [KernelError] and told by an event.
 *
 * Drivers that require others start after them and stop before them:
 * - One that fails has those that require it rest ([DriverState.Failed], with a reason that names it), those first that
 *   nobody else requires, until it runs again. Their devices that are open are left alone meanwhile, and taken over by
 *   their next instances. That is no failure of theirs: it does not count as a crash.
 * - One in quarantine, or unloaded while those that require it rest, leaves them so until it is loaded again.
 * - One that runs and that others require is not unloaded. To be upgraded or restarted for its settings, it is replaced
 *   beside itself, so that it runs at every moment: those that require it, and take the version that it becomes, are
 *   left alone.
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
    private val dependents = Dependents(scope, roster, changing)
    private val choice = JarChoice(scanner, events)
    private val loads = Loads(scope, roster, admission, builtIns, choice, events, changing)
    private val upgrades =
        Upgrades(scope, house, roster, UpgradeAdmission(roster, admission, users), choice, events, changing)

    /** What has the drivers follow their directory and the machine; null without a directory. */
    internal var folder: DriverFolder? = null

    init {
        house.onChange = {
            roster.refresh()
            dependents.changed()
        }
        house.onFailure = dependents::failing
        house.requirements = { Dependencies.unmet(it, roster.running()) }
        dependents.launch()
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
     * @param settings instead of those that are configured, as far as they are given: each until another value is
     *   configured for it
     */
    public suspend fun load(jar: Path, type: String? = null, settings: Map<String, String> = emptyMap()): DriverHandle =
        loads.one(choice.candidate(jar, type), settings)

    /**
     * Loads all drivers of [jars] that are not loaded, each after those that it requires, others side by side. One that
     * cannot be loaded keeps those from it that require it, and no others.
     */
    public suspend fun loadAll(jars: List<Path>): LoadReport = loads.all(jars)

    /** As [loadAll], of what a scan has found. */
    internal suspend fun loadFound(candidates: List<DriverCandidate>): LoadReport = loads.found(candidates)

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
     *
     * Where drivers that require it do not take the new version, or it does not take those that it requires, newer
     * versions of these are looked for in the drivers' directory and upgraded along, as by [upgradeAll]; the notes of
     * the report name them. Where there are none it is refused.
     */
    public suspend fun upgrade(name: String, jar: Path, type: String? = null): UpgradeReport {
        builtIns.requireOther(name, "upgrade")
        return upgrades.one(name, jar, type)
    }

    /**
     * Replaces the drivers that [jars] have other versions of, as [upgrade] does one: all of them or, if anything fails
     * on the way, none. All devices of all these drivers are switched at the same moment. They start in the order of
     * their requirements, and the old ones stop in the reverse one.
     */
    public suspend fun upgradeAll(jars: List<Path>): GroupUpgradeReport = upgrades.all(jars)

    /** As [upgradeAll], of what a scan has found. */
    internal suspend fun upgradeFound(wanted: List<DriverCandidate>): GroupUpgradeReport = upgrades.together(wanted)

    /** The driver [name] of a jar that is not loaded yet, or not from there. */
    internal suspend fun candidate(name: String, jar: Path, type: String?): DriverCandidate =
        choice.candidate(jar, type, name)

    /**
     * Settings change while drivers run, but for those [except]; what cannot be changed stays as it was, and is returned.
     *
     * @param before what was configured until now, where it is another than what came by this; see [Admission.configure]
     */
    internal suspend fun configure(
        drivers: Map<String, DriverConfiguration>,
        most: Int?,
        before: Map<String, DriverConfiguration>? = null,
        except: Set<String> = emptySet(),
    ): List<KernelError> {
        val changes = changing.withLock { admission.configure(drivers, most, before, except) }
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

    /** Why one that is loaded cannot take what [drivers] has for it instead of [before]; null if all can. */
    internal suspend fun refusal(
        drivers: Map<String, DriverConfiguration>,
        before: Map<String, DriverConfiguration>,
        except: Set<String>,
    ): KernelError? = changing.withLock { admission.refusal(drivers, before, except) }

    /** What is in the drivers' directory now; those that are not loaded are shown as such. */
    internal fun found(result: ScanResult): Unit = roster.found(result)

    /** Ends all drivers, those first that need others; within [bound], and without a look at what stays in memory. */
    internal suspend fun close(bound: Duration): List<String> {
        val entries = changing.withLock {
            loads.close()
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
                            // Somebody unloads it, who may come to strike it off later than what is left is told.
                            strike(entry)
                        }
                    }
                }
            }
        }
        return roster.all.map { "the driver ${it.info.name} did not end within $bound" }
    }

    private suspend fun end(entry: DriverEntry, proven: Boolean = true) {
        val troubles = entry.supervisor.unload(proven)
        strike(entry)
        dependents.changed()
        if (troubles.isNotEmpty()) events.emit(DriverUnloadFailed(entry.info.name, troubles.joinToString("; ")))
    }

    /** It has ended; again does nothing. */
    private suspend fun strike(entry: DriverEntry): Unit = changing.withLock {
        admission.withdraw(entry)
        roster.remove(entry)
    }
}
