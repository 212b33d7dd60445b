package dev.arraywright.hardware.platform

import dev.arraywright.hardware.platform.probe.BuiltInProbes
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.channelFlow
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.isActive
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * What the machine, its kernel and the application can do, by name: `numa`, `nvme`, `virtio-balloon`, `psi`,
 * `io_uring`, `landlock`, `cgroup-v2`, `hugepages`, `avx2`, `avx512`, `gfni`, `vaes`, `sha` (or `cpu.avx2` and so on),
 * `hypervisor`, and what is [registered][register]. Thread-safe.
 *
 * All of it is looked at once at the start, again when the hardware has changed, and the cheap part every minute. A
 * probe that fails, or that has no answer within its deadline, makes an absent capability with that reason.
 */
public class CapabilityRegistry internal constructor(
    context: CoroutineContext,
    builtIn: BuiltInProbes,
    changes: Flow<Unit>,
    private val io: CoroutineDispatcher,
    private val deadline: Duration = 5.seconds,
) : AutoCloseable {
    private class Entry(val name: String, val cheap: Boolean, val probe: CapabilityProbe) {
        /** The look that is under way, or that never came back: a probe that hangs is not called again. */
        var look: Job? = null
        val turn = Mutex()
    }

    private val scope = CoroutineScope(context + SupervisorJob(context[Job]))
    private val entries = LinkedHashMap<String, Entry>()
    private val state = MutableStateFlow<Map<String, Capability>>(emptyMap())

    /**
     * Watches the machine until [close] or until the context's job ends.
     *
     * @param changes emits when hardware has come or gone
     * @param io where probes run, which block
     */
    public constructor(
        context: CoroutineContext,
        changes: Flow<Unit> = emptyFlow(),
        io: CoroutineDispatcher = Dispatchers.IO,
    ) : this(context, BuiltInProbes.native(), changes, io)

    init {
        for ((name, probe) in builtIn.cheap) entries[name] = Entry(name, true, probe)
        for ((name, probe) in builtIn.others) entries[name] = Entry(name, false, probe)
        scope.launch {
            // Its end or failure is the hardware monitor's to tell; the minute's look goes on.
            launch {
                changes.catch {
                    log.log(System.Logger.Level.WARNING, "no more hardware changes", it)
                }.conflate().collect { settle() }
            }
            look { true }
            while (true) {
                delay(PERIOD)
                look { it.cheap }
            }
        }
    }

    /** What has been looked at so far, by name. Everything, once [refresh] has returned. */
    public val capabilities: StateFlow<Map<String, Capability>> = state.asStateFlow()

    /** Null if there is none of that name, or if it has not been looked at yet. */
    public operator fun get(name: String): Capability? = state.value[plain(name)]

    /** Whether it is there. */
    public fun has(name: String): Boolean = get(name)?.available == true

    /**
     * The present state as soon as there is one, then each change once it has lasted for 500 ms. A slow collector
     * misses states but the last. One that is no more registered is absent.
     */
    public fun watch(name: String): Flow<Capability> {
        val wanted = plain(name)
        return channelFlow {
            var told: Capability? = null
            state.map { it[wanted] }.distinctUntilChanged().collectLatest { found ->
                val before = told
                val now = found ?: before?.let { Capability.absent(wanted, "nobody provides it any more") }
                if (now == null || now == before) return@collectLatest
                if (before != null) delay(DEBOUNCE)
                told = now
                send(now)
            }
        }.conflate()
    }

    /** Looks at everything now, and returns when [capabilities] has what was found. */
    public suspend fun refresh() {
        check(scope.isActive) { "the registry is closed" }
        scope.launch { look { true } }.join()
    }

    /**
     * Adds a capability, which is looked at in a moment. Closing the result takes it out again.
     *
     * @param cheap whether it may be looked at every minute
     * @throws IllegalArgumentException if the name is blank or taken
     */
    public fun register(name: String, cheap: Boolean = false, probe: CapabilityProbe): AutoCloseable {
        require(name.isNotBlank() && name == plain(name)) { "not a name for a capability: \"$name\"" }
        val entry = Entry(name, cheap, probe)
        synchronized(entries) {
            require(entries.putIfAbsent(name, entry) == null) { "there is a capability $name already" }
        }
        scope.launch { look { it === entry } }
        return AutoCloseable {
            synchronized(entries) { if (entries.remove(name, entry)) state.value -= name }
        }
    }

    /** Everything, one a line. */
    public fun describe(): String = capabilities.value.toSortedMap().values.joinToString("\n")

    /** Ends all looking; what was found stays. */
    override fun close() {
        scope.cancel()
    }

    /** Changes come in bursts: a disk brings its partitions. */
    private suspend fun settle() {
        delay(DEBOUNCE)
        look { true }
    }

    private suspend fun look(which: (Entry) -> Boolean) {
        val chosen = synchronized(entries) { entries.values.filter(which) }
        // One look at a time of each, so that a refresh does not take the answer to an earlier question.
        chosen.map { entry -> scope.launch { entry.turn.withLock { ask(entry) } } }.joinAll()
    }

    private suspend fun ask(entry: Entry) {
        val answer = synchronized(entries) {
            entry.look ?: scope.launch(io) { answered(entry, answer(entry)) }.also { entry.look = it }
        }
        if (withTimeoutOrNull(deadline) { answer.join() } != null) return
        synchronized(entries) {
            if (entry.look === answer)
                publish(entry, Capability.absent(entry.name, "its probe gave no answer within $deadline"))
        }
    }

    /** Also if it comes late. */
    private fun answered(entry: Entry, found: Capability) = synchronized(entries) {
        entry.look = null
        publish(entry, found)
    }

    private suspend fun answer(entry: Entry): Capability =
        try {
            entry.probe.look().copy(name = entry.name)
        } catch (e: Throwable) {
            // A probe's own timeout is a CancellationException too.
            if (e is CancellationException && !scope.isActive) throw e
            Capability.absent(entry.name, "its probe failed: ${e.message ?: e.javaClass.simpleName}")
        }

    private fun publish(entry: Entry, found: Capability) {
        if (entries[entry.name] === entry) state.value += entry.name to found
    }

    private fun plain(name: String): String = name.removePrefix("cpu.")

    private companion object {
        val DEBOUNCE = 500.milliseconds
        val PERIOD = 1.minutes
        val log: System.Logger = System.getLogger(CapabilityRegistry::class.java.name)
    }
}
