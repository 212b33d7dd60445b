package dev.arraywright.kernel.driver.source

import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.driver.DriverStatus
import dev.arraywright.kernel.driver.lifecycle.Dependencies
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.lifecycle.UpgradeGroup
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.scan.DriverScanner
import dev.arraywright.kernel.driver.scan.RejectedJar
import dev.arraywright.kernel.driver.scan.ScanResult
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.EventStream
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Has a kernel's drivers follow the jars of a directory, and the devices of the machine. What cannot be done is told by
 * an event and does not keep the rest from being done.
 *
 * @param directory absolute
 * @param devices null where nobody looks
 * @param io for what blocks
 */
internal class DriverFolder(
    private val directory: Path,
    private val scope: CoroutineScope,
    private val manager: DriverManager,
    private val scanner: DriverScanner,
    private val devices: Flow<Map<DeviceId, HardwareDevice>?>,
    private val events: EventStream,
    private val io: CoroutineDispatcher,
    private val sys: Path = Path.of("/sys"),
) {
    private class Scanned(val fingerprint: JarFingerprint, val result: ScanResult)

    private val watch = DirectoryWatch(scope.coroutineContext, directory, io)
    private val plan = FolderPlan(directory)
    private val demand = HardwareDemand()
    private val handled = MutableStateFlow<Set<Path>>(emptySet())
    private var scans: Map<Path, Scanned> = emptyMap()
    private var rejected: Map<Path, String> = emptyMap()
    private var known: Map<HardwareDevice, List<HardwareFacts>> = emptyMap()
    private val job: Job = scope.launch { follow() }

    /** Until the jars that are there now are loaded, as far as they are to be; not for ones that take too long. */
    suspend fun settled(within: Duration = PATIENCE) {
        val there = withContext(io) {
            try {
                JarFiles(directory, PATTERN).list()?.keys.orEmpty()
            } catch (_: IOException) {
                // The watch waits for better times, and so does whoever needs what is in there.
                emptySet()
            }
        }
        withTimeoutOrNull(within) { handled.first { it.containsAll(there) } }
    }

    /** Nothing is loaded or unloaded from here afterwards. False if it has not ended [within] that; it is cancelled then. */
    suspend fun end(within: Duration): Boolean {
        watch.close()
        job.cancel()
        return withTimeoutOrNull(within) { job.join() } != null
    }

    private suspend fun follow() {
        // Also when a driver runs that others wait for, and when one has nothing open any more.
        val lives = manager.drivers.map { all -> all.mapValues { it.value.state to it.value.devices.isEmpty() } }
        combine(watch.sight, devices, lives.distinctUntilChanged()) { sight, found, _ -> sight to found }.conflate()
            .collect { (sight, found) ->
                try {
                    step(sight, found.orEmpty().values)
                } catch (e: CancellationException) {
                    throw e
                } catch (e: Exception) {
                    events.emit(DriverLoadFailed(directory.toString(), e.message ?: e.javaClass.simpleName))
                }
                handled.value = sight.jars.keys + sight.rejected.keys
            }
    }

    private suspend fun step(sight: DirectorySight, found: Collection<HardwareDevice>) {
        scan(sight)
        known = withContext(io) { found.associateWith { known[it] ?: facts(it, sys) } }
        val offers = scans.values.flatMap { scan -> scan.result.candidates.map { Offer(it, scan.fingerprint) } }
        val there = sight.jars.keys + sight.rejected.keys
        do {
            val byJar = plan.next(offers, there, manager.drivers.value)
            act(byJar, offers)
            val byDevice = demand.next(known, offers, manager.drivers.value)
            byDevice.filterIsInstance<FolderAction.Load>().forEach { load ->
                offers.filter { it.candidate == load.candidate }.forEach(plan::taken)
            }
            act(byDevice, offers)
        } while (byJar.isNotEmpty() || byDevice.isNotEmpty())
    }

    /** Jars that are new or otherwise than before. */
    private suspend fun scan(sight: DirectorySight) {
        val before = scans
        val incomplete = rejected
        scans = withContext(io) {
            sight.jars.mapValues { (jar, fingerprint) ->
                before[jar]?.takeIf { it.fingerprint == fingerprint } ?: Scanned(fingerprint, scanner.scan(jar))
            }
        }
        rejected = sight.rejected
        if (scans == before && rejected == incomplete) return
        val fresh = scans.filter { before[it.key] !== it.value }.values.flatMap { it.result.rejected } +
            rejected.filter { incomplete[it.key] != it.value }.map { RejectedJar(it.key, it.value) }
        for (jar in fresh) events.emit(DriverLoadFailed(jar.jar.toString(), "it ${jar.why}"))
        val results = scans.toSortedMap().values.map { it.result }
        manager.found(
            ScanResult(
                results.flatMap { it.candidates },
                results.flatMap { it.rejected } + rejected.map { RejectedJar(it.key, it.value) },
            ),
        )
    }

    /** What comes goes first, so that what went may be replaced by it under its devices. */
    private suspend fun act(actions: List<FolderAction>, offers: List<Offer>) {
        val upgrades = actions.filterIsInstance<FolderAction.Upgrade>().map { it.candidate }
        val loads = actions.filterIsInstance<FolderAction.Load>()
        val refused = coroutineScope {
            val going = UpgradeGroup.parts(upgrades, loaded()).map { group ->
                async { group.takeUnless { upgraded(it) } }
            }
            val failed = if (loads.isEmpty()) emptyList() else load(loads, offers)
            failed + going.awaitAll().filterNotNull().flatten()
        }
        for (one in refused) if (!fits(one, offers, manager.drivers.value)) plan.wait(one, offers)
        for (action in inOrder(actions.filterIsInstance<FolderAction.Unload>())) told { manager.unload(action) }
    }

    /** What could not be loaded. */
    private suspend fun load(loads: List<FolderAction.Load>, offers: List<Offer>): List<DriverCandidate> {
        val report = manager.loadFound(loads.map { it.candidate })
        val failed = report.failures.map { it.name }.toSet()
        val loaded = report.loaded.map { it.id }.toSet()
        for (load in loads) {
            // One that rested was back before.
            val back = load.name !in failed + loaded && manager.drivers.value[load.name]?.state == DriverState.Running
            if (back) plan.retry(load.candidate, offers)
        }
        return loads.filter { it.name in failed }.map { it.candidate }
    }

    /** Those that cannot do without each other are upgraded together; false if that is refused. */
    private suspend fun upgraded(group: List<DriverCandidate>): Boolean = try {
        manager.upgradeFound(group)
        true
    } catch (_: KernelError) {
        // The manager tells of it by an event.
        false
    }

    private fun loaded(): Map<String, DriverInfo> =
        manager.drivers.value.filterValues { it.isLoaded }.mapNotNull { it.value.info }.associateBy { it.name }

    /** Whoever needs others goes before them. */
    private fun inOrder(unloads: List<FolderAction.Unload>): List<String> {
        val drivers = manager.drivers.value
        val infos = unloads.mapNotNull { drivers[it.name]?.info }
        val present = drivers.values.mapNotNull(DriverStatus::info).associateBy(DriverInfo::name)
        val ordered = Dependencies.order(infos, present) { _, _ -> }.map { it.name }.reversed()
        return ordered + (unloads.map { it.name } - ordered.toSet())
    }

    /** The manager tells of what it refuses by an event. */
    private suspend fun told(action: suspend () -> Unit) {
        try {
            action()
        } catch (_: KernelError) {
            // Whoever is to know knows by now.
        }
    }

    private companion object {
        const val PATTERN = "*.jar"
        val PATIENCE = 10.seconds
    }
}
