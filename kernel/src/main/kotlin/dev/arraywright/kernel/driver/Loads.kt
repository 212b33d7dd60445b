package dev.arraywright.kernel.driver

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.lifecycle.Admission
import dev.arraywright.kernel.driver.lifecycle.Dependencies
import dev.arraywright.kernel.driver.lifecycle.DriverRoster
import dev.arraywright.kernel.driver.lifecycle.DriverState
import dev.arraywright.kernel.driver.scan.DriverCandidate
import dev.arraywright.kernel.driver.serve.BuiltIns
import dev.arraywright.kernel.event.DriverLoadFailed
import dev.arraywright.kernel.event.EventStream
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.nio.file.Path
import java.util.Collections
import kotlin.io.path.name

/** Loads drivers, each after those that it requires; see [DriverManager.load]. */
internal class Loads(
    private val scope: CoroutineScope,
    private val roster: DriverRoster,
    private val admission: Admission,
    private val builtIns: BuiltIns,
    private val choice: JarChoice,
    private val events: EventStream,
    private val changing: Mutex,
) {
    /** Guarded by [changing]. */
    private var closed = false

    /** Nothing is loaded any more; for whoever holds [changing]. */
    fun close() {
        closed = true
    }

    suspend fun one(candidate: DriverCandidate, settings: Map<String, String>): DriverHandle {
        // Apart from the rest, which is not begun for who is cancelled here; and within the scope, for once that ends
        // nothing that is waited for changes.
        scope.seenThrough {
            telling(candidate) {
                builtIns.requireOther(candidate.info.name, "load")
                awaitRequired(candidate.info)
            }
        }
        return scope.seenThrough { telling(candidate) { admitted(candidate, settings) } }
    }

    suspend fun all(jars: List<Path>): LoadReport {
        val failures = mutableListOf<DriverFailure>()
        val wanted = mutableListOf<DriverCandidate>()
        for (jar in jars) {
            try {
                wanted += choice.candidates(jar)
            } catch (e: KernelError) {
                failures += DriverFailure(jar.name, e)
            }
        }
        return found(wanted).let { it.copy(failures = failures + it.failures) }
    }

    suspend fun found(candidates: List<DriverCandidate>): LoadReport {
        val failures = Collections.synchronizedList(mutableListOf<DriverFailure>())
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
                        handles[info.name] = one(byName.getValue(info.name), emptyMap())
                    } catch (e: KernelError) {
                        failures += DriverFailure(info.name, e)
                    }
                }
            }
        }
        return LoadReport(order.mapNotNull { handles[it.name] }, failures.toList())
    }

    /** Tells of a failure, also of one that nobody waits for any more. */
    private suspend fun <T> telling(candidate: DriverCandidate, work: suspend () -> T): T = try {
        work()
    } catch (e: KernelError) {
        throw e.also { told(candidate, it) }
    }

    private suspend fun admitted(candidate: DriverCandidate, settings: Map<String, String>): DriverHandle {
        val place = changing.withLock {
            if (closed) throw KernelError.Closed()
            admission.load(candidate, settings) { it.launchIn(scope) }
        }
        val supervisor = place.entry.supervisor
        try {
            supervisor.load(candidate, place.settings)
        } catch (e: KernelError) {
            changing.withLock { admission.failed(place) }
            throw e
        }
        return DriverHandle(supervisor)
    }

    /** Those that are about to run are waited for; they have deadlines. */
    private suspend fun awaitRequired(info: DriverInfo) {
        for (need in info.requires) {
            roster[need.name]?.supervisor?.state?.first { it !in ON_THE_WAY }
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
