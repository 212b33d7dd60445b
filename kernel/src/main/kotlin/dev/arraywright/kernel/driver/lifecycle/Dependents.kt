package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.util.concurrent.ConcurrentHashMap

/**
 * Has drivers rest while what they require does not run, and resume when it does; see [DriverState]. No driver waits
 * for another that it has nothing to do with.
 *
 * @param changing held by whoever loads, unloads and upgrades
 */
internal class Dependents(
    private val scope: CoroutineScope,
    private val roster: DriverRoster,
    private val changing: Mutex,
) {
    private val signal = Channel<Unit>(Channel.CONFLATED)

    /** Why drivers have to start anew, although what they require may run again by now. */
    private val shaken = ConcurrentHashMap<DriverEntry, String>()
    private val busy = ConcurrentHashMap.newKeySet<DriverEntry>()

    /** Until the [scope] ends. */
    fun launch() {
        scope.launch { for (change in signal) changing.withLock { act() } }
    }

    /** Some driver is in another state, or gone. */
    fun changed() {
        signal.trySend(Unit)
    }

    /** The driver [info] fails: those that require it do not run without, however soon it is back. */
    fun failing(info: DriverInfo) {
        val all = roster.all
        val above = Dependencies.above(info.name, all.map { it.info })
        for (entry in all) if (entry.info.name in above) shaken[entry] = "it requires ${info.name}, which failed"
    }

    private fun act() {
        val all = roster.all.filter { !it.leaving }
        shaken.keys.removeIf { it.failed || it !in all }
        for (step in DependentsPlan.steps(all.map(::seat))) {
            val entry = all.first { it.info.name == step.name }
            if (!busy.add(entry)) continue
            scope.launch {
                try {
                    take(step, entry)
                } catch (_: KernelError.Closed) {
                    // It is unloaded.
                } finally {
                    busy -= entry
                    changed()
                }
            }
        }
    }

    private suspend fun take(step: DependentsPlan.Step, entry: DriverEntry) = when (step) {
        is DependentsPlan.Rest -> {
            entry.supervisor.rest(step.why)
            shaken -= entry
        }
        is DependentsPlan.Resume -> entry.supervisor.resume()
    }

    private fun seat(entry: DriverEntry): DependentsPlan.Seat {
        val state = entry.supervisor.state.value
        return DependentsPlan.Seat(
            entry.info,
            running = state == DriverState.Running,
            waiting = entry.supervisor.waiting,
            failure = state as? DriverState.Failed,
            shaken = shaken[entry],
            upgrading = entry.next != null,
        )
    }
}
