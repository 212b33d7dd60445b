package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverStatistics
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.ScanResult
import dev.arraywright.kernel.driver.serve.DriverMeter
import dev.arraywright.kernel.driver.serve.ServedDriver
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import java.nio.file.Path
import java.time.Instant
import kotlin.io.path.name
import kotlin.time.Clock
import kotlin.time.toJavaInstant

/** A driver and what stands for it; what is mutable is guarded by whoever loads and unloads. */
internal class DriverEntry(val supervisor: DriverSupervisor, val port: ServedDriver, val meter: DriverMeter) {
    /** That it is offered to those who open devices. */
    var registration: AutoCloseable? = null

    /** The schemes that it is offered for. */
    var offered: List<String> = emptyList()

    /** Settings that were given with the load: each counts until the configuration has another value than then. */
    var given: Map<String, String> = emptyMap()

    @Volatile var leaving = false

    /** What it is being upgraded to; set and cleared by whoever loads and unloads. */
    @Volatile var next: DriverInfo? = null

    /** The latest load of it. */
    var place: Admission.Place? = null

    val info: DriverInfo get() = supervisor.info
    val running: Boolean get() = supervisor.state.value == DriverState.Running

    /** It failed, and nothing of it serves. */
    val failed: Boolean get() = supervisor.state.value is DriverState.Failed
}

/** The drivers by name, and how they are shown. Thread-safe. */
internal class DriverRoster(private val clock: Clock, private val builtIn: Set<String> = emptySet()) {
    private class Sight(val state: DriverState, val since: Instant)

    // All guarded by this, and what is shown is made under it, so that nothing older takes the place of it.
    private val entries = LinkedHashMap<String, DriverEntry>()
    private val departing = LinkedHashSet<DriverEntry>()
    private var found: Map<String, DriverStatus> = emptyMap()
    private var candidates: List<DriverCandidate> = emptyList()
    private val sights = HashMap<DriverEntry, Sight>()
    private val shown = MutableStateFlow<Map<String, DriverStatus>>(emptyMap())

    val drivers: StateFlow<Map<String, DriverStatus>> = shown.asStateFlow()

    val all: List<DriverEntry> @Synchronized get() = entries.values.toList()

    @Synchronized
    operator fun get(name: String): DriverEntry? = entries[name]

    /** What is loaded or on the way, so that others may need it. */
    fun present(): Map<String, DriverInfo> =
        all.filter { !it.leaving && !it.failed }.associate { it.info.name to it.info }

    /** What others may rely on now. */
    fun running(): Map<String, DriverInfo> =
        all.filter { it.running && !it.leaving }.associate { it.info.name to it.info }

    /** What drivers are being upgraded to. */
    fun upcoming(): Map<String, DriverInfo> = all.mapNotNull { it.next }.associateBy { it.name }

    @Synchronized
    fun add(entry: DriverEntry) {
        entries[entry.info.name] = entry
        departing.removeIf { it.info.name == entry.info.name }
    }

    /** It is shown until it is gone, or another of its name comes. */
    @Synchronized
    fun remove(entry: DriverEntry) {
        if (entries.remove(entry.info.name, entry)) departing += entry
        refresh()
    }

    /** What a scan of the drivers' directory gave, in place of what an earlier one did. */
    @Synchronized
    fun found(result: ScanResult) {
        val now = clock.now().toJavaInstant()
        val statuses = result.candidates.map { candidate ->
            val info = candidate.info
            val jar = candidate.jar
            if (info.name in builtIn) {
                val why = "has a driver called ${info.name}, as one that comes with Arraywright is"
                DriverStatus(jar.name, info, DriverState.Rejected(why), jar, now, notes = candidate.notes)
            } else {
                DriverStatus(info.name, info, DriverState.Discovered, jar, now, notes = candidate.notes)
            }
        }
        val rejected = result.rejected.map { jar ->
            DriverStatus(jar.jar.name, null, DriverState.Rejected(jar.why), jar.jar, now)
        }
        found = (statuses.reversed() + rejected).associateBy { it.name }
        candidates = result.candidates
        refresh()
    }

    /** What the jars of the drivers' directory have. */
    val offers: List<DriverCandidate> @Synchronized get() = candidates

    /** A jar that was found, and would serve [scheme]. */
    @Synchronized
    fun offering(scheme: String): Pair<DriverInfo, Path>? =
        found.values.filter { it.state == DriverState.Discovered }.firstNotNullOfOrNull { status ->
            val jar = status.jar ?: return@firstNotNullOfOrNull null
            status.info?.takeIf { scheme in it.schemes }?.let { it to jar }
        }

    @Synchronized
    fun refresh() {
        departing.removeIf { it.supervisor.state.value == DriverState.Unloaded }
        sights.keys.retainAll(departing + entries.values)
        shown.value = found + (departing + entries.values).associate { it.info.name to status(it) }
    }

    fun statistics(leaked: Int, stranded: Int): DriverStatistics {
        val now = all
        val figures = now.map { it.meter.figures }
        return DriverStatistics(
            running = now.count { it.running },
            failed = now.count { it.failed },
            leaked = leaked,
            stranded = stranded,
            devices = now.sumOf { it.port.devices },
            opens = figures.sumOf { it.opens },
            calls = figures.sumOf { it.calls },
            errors = figures.sumOf { it.errors },
            classes = now.sumOf { it.supervisor.memory.first },
            classBytes = now.sumOf { it.supervisor.memory.second },
        )
    }

    private fun status(entry: DriverEntry): DriverStatus = with(entry.supervisor) {
        val now = state.value
        val sight = sights[entry]?.takeIf { it.state == now }
            ?: Sight(now, clock.now().toJavaInstant()).also { sights[entry] = it }
        DriverStatus(
            info.name,
            info,
            now,
            candidate.jar,
            sight.since,
            settings,
            notes,
            loadTime,
            entry.port.open.map { it.address.toString() },
            entry.meter.figures,
            health,
            memory.first,
            memory.second,
        )
    }
}
