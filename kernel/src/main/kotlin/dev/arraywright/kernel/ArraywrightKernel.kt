package dev.arraywright.kernel

import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.ExportConfiguration
import dev.arraywright.kernel.config.NbdConfiguration
import dev.arraywright.kernel.config.Reconfiguration
import dev.arraywright.kernel.config.apply.Application
import dev.arraywright.kernel.config.apply.Replacement
import dev.arraywright.kernel.config.apply.Subject
import dev.arraywright.kernel.driver.DriverManager
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.KernelEvent
import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.kernel.event.journal.EventJournal
import dev.arraywright.kernel.machine.Machine
import dev.arraywright.kernel.machine.Watching
import dev.arraywright.kernel.spare.Protection
import dev.arraywright.raid.cache.ReadCache
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.SharedFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.future.future
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import org.koin.core.KoinApplication
import org.koin.core.error.InstanceCreationException
import org.koin.dsl.koinApplication
import java.util.concurrent.ExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/**
 * A storage array controller inside this process: opens devices, makes and runs arrays of them, exports them over NBD.
 *
 * Start it with [start], or take it from a Koin application that loaded [kernelModule]. Several may run in one process;
 * a device belongs to one at a time. Functions may be called from any coroutine and fail with a [KernelError].
 * [shutdown] (or [close]) ends everything that was started: exports, then arrays (marked clean), then devices and their
 * drivers.
 */
public class ArraywrightKernel internal constructor(
    private val options: KernelOptions,
    private val scope: CoroutineScope,
    private val members: Members,
    private val registry: ArrayRegistry,
    private val nbd: Exports,
    private val stream: EventStream,
    private val watching: Watching,
    /** What keeps arrays whole: spares, failover, rebuilds, scrubs, and the policy of all that. */
    public val protection: Protection,
    /** What the kernel runs on; null without [KernelOptions.watch]. */
    public val machine: Machine?,
    /** What clients of any array have read lately: how much it helps, and how much memory it may have. */
    public val cache: ReadCache,
    /** The drivers that are loaded at run time. */
    public val drivers: DriverManager,
) : AutoCloseable {
    private val closing = Mutex()

    private val subject = Subject(registry, protection, nbd, members, machine?.thresholds, drivers)

    @Volatile
    private var closed = false
    private var own: KoinApplication? = null

    /** The running arrays by name. */
    public val arrays: StateFlow<Map<String, ArrayHandle>> get() = registry.arrays

    /** The exports by name. */
    public val exports: StateFlow<Map<String, ExportInfo>> get() = nbd.entries

    /** The open devices by address. */
    public val devices: StateFlow<Map<String, DeviceEntry>> get() = members.entries

    /** What happens, in order; see [EventStream] for what a slow or late subscriber misses. */
    public val events: SharedFlow<KernelEvent> get() = stream.events

    /** Where events are kept, and whether they are; null without [KernelOptions.journal]. */
    public val journal: EventJournal? get() = stream.journal

    /**
     * Events from number [sequence] on, or from the oldest that is left, then as they happen; in order and none twice. With
     * a journal a collector may be as slow as it likes; a gap in the numbers is what the journal does not have any more.
     */
    public fun eventsSince(sequence: Long): Flow<KernelEvent> = stream.since(sequence)

    /** Looks at a device without changing it. */
    public suspend fun examine(address: String): Examination = registry.examine(members.parse(address))

    /** Looks at addresses, and at every file of directories among [places]. */
    public suspend fun scan(places: List<String>): List<Examination> = registry.scan(places)

    /** Makes an array and runs it. Where a step fails, all that was done is undone. */
    public suspend fun createArray(spec: ArraySpec): ArrayHandle = registry.create(spec).handle

    /**
     * Makes an array, looks after it from then on, takes its shared spares, sets the policy and exports it: in one call,
     * and where a step fails, all that was done is undone. Then files that were created are removed, the superblocks that
     * were written are erased, and the policy is as before, so that the same call may be made again; whatever else was on
     * the members is lost as far as it was overwritten.
     */
    public suspend fun createProtectedDeviceGroup(group: ProtectedGroup): ArrayHandle =
        GroupCreation(registry, protection, nbd, members).create(group)

    /**
     * Runs the array that [members] belong to, under [name] (by default the one in its superblocks). Members that do not
     * belong to it or are stale are left out and named in the events; [force] starts it although parity may be wrong.
     */
    public suspend fun assembleArray(members: List<String>, name: String? = null, force: Boolean = false): ArrayHandle =
        registry.assemble(members, name, force)

    /** Marks an array clean, ends it and closes its members; refuses while it is exported. */
    public suspend fun stopArray(name: String) {
        val export = nbd.entries.value.values.firstOrNull { it.array == name }
        if (export != null) {
            throw KernelError.InUse("cannot stop $name", "it is exported as ${export.name}", "end the export first")
        }
        registry.stop(name)
    }

    /** Starts the NBD server; port 0 takes a free one. */
    public suspend fun listen(configuration: NbdConfiguration = NbdConfiguration()): Unit =
        nbd.listen(configuration)

    /** Exports an array; needs [listen] before. */
    public suspend fun export(array: String, export: ExportConfiguration = ExportConfiguration(array)): ExportInfo =
        nbd.export(registry.named(array), export)

    /** Ends an export and the connections to it. */
    public suspend fun unexport(name: String): Unit = nbd.unexport(name)

    /**
     * Brings about what is configured: drivers and their settings, policy, thresholds of disks' health, arrays, exports, shared
     * spares. May be called again with another configuration: what runs already stays as it is, spares that are not named
     * any more are let go of, and the policy counts at once. What fails is returned, and does not keep the rest from
     * running: an array comes up without a member that cannot be opened, if it can do so.
     */
    public suspend fun apply(configuration: Configuration): List<KernelError> =
        Application(subject).apply(configuration)

    /**
     * Has [after] take the place of [before], which was brought about by [apply] or by this: only what is otherwise in it
     * is touched, and nothing that runs is ended but exports and spares that it does not name any more. What fails, and
     * what counts from the next start on only, is returned.
     *
     * @throws KernelError.BadConfiguration if an address in it is none, or a driver does not take its settings; nothing is
     *   changed then
     */
    public suspend fun reconfigure(before: Configuration, after: Configuration): Reconfiguration =
        Replacement(subject, before, after).run()

    /** Tells [occurrence] on the event stream. */
    internal fun tell(occurrence: Occurrence) {
        stream.emit(occurrence)
    }

    /**
     * Ends everything that was started, within [KernelOptions.closeWithin]; again does nothing.
     *
     * @throws KernelError.NotStopped if something did not end as it should, after everything else was ended
     */
    public suspend fun shutdown(): Unit = withContext(NonCancellable) {
        val left = closing.withLock {
            if (closed) return@withLock emptyList()
            closed = true
            try {
                Ending(scope, registry, nbd, protection, stream, watching, drivers).within(options.closeWithin)
            } finally {
                scope.cancel(CancellationException("the kernel is closed"))
            }
        }
        // Closing the application closes this kernel again, which by now does nothing.
        withContext(Dispatchers.IO) { own?.close() }
        if (left.isNotEmpty()) throw Ending.failure(left)
    }

    /** [shutdown] for callers that block, with the same bound. */
    override fun close() {
        if (closed) return
        val ended = CoroutineScope(Dispatchers.IO).future { shutdown() }
        try {
            ended.get(2 * options.closeWithin.inWholeMilliseconds, TimeUnit.MILLISECONDS)
        } catch (e: ExecutionException) {
            throw e.cause as? KernelError ?: e
        } catch (e: TimeoutException) {
            throw Ending.failure(listOf("the kernel has not ended within twice ${options.closeWithin}"), e)
        }
    }

    public companion object {
        /**
         * Starts a kernel with a private Koin application, which ends with it; blocks for opening the journal.
         *
         * @throws KernelError if the journal cannot be written, or another kernel writes it
         */
        public fun start(options: KernelOptions = KernelOptions()): ArraywrightKernel {
            val application = koinApplication { modules(kernelModules(options)) }
            val kernel = try {
                application.koin.get<ArraywrightKernel>()
            } catch (e: InstanceCreationException) {
                application.close()
                throw generateSequence<Throwable>(e) { it.cause }.firstNotNullOfOrNull { it as? KernelError } ?: e
            }
            kernel.own = application
            return kernel
        }
    }
}
