package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.event.KernelEvent
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import java.io.Closeable
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration

/**
 * Events on disk: segment files in a [directory] of their own, which survive a crash and rotate. One process writes, and
 * any number may read meanwhile. What a kill keeps off the disk is lost, and its numbers are used again: [flush] first.
 */
public class EventJournal private constructor(
    public val directory: Path,
    private val limits: JournalLimits,
    private val context: CoroutineContext,
    private val writer: JournalWriter,
    private val lock: Closeable,
    internal val next: Long,
    /** What was cut off when the journal was opened, because a crash had left it unfinished; null if nothing was. */
    public val cut: String?,
) {
    private val scope = CoroutineScope(SupervisorJob() + context)
    private val queue = Channel<KernelEvent>(limits.backlog)
    private val trouble = MutableStateFlow<String?>(null)
    private val done = MutableStateFlow(next - 1)
    private var ending: Job? = null
    private var error: String? = null
    private var lost = 0L

    @Volatile
    private var accepted = next - 1

    /** Why events are not kept, or were not; null while all is well. Arrays and live subscribers go on all the same. */
    public val failure: StateFlow<String?> = trouble.asStateFlow()

    /** The number of the last event that is on stable storage. */
    public val written: StateFlow<Long> = done.asStateFlow()

    /** Events from number [from] on, or from the oldest there is, to the newest on disk. */
    public fun read(from: Long = 1): Flow<JournalRecord> = read(directory, from, context)

    /** Takes an event to be written; never waits. Events come in the order of their numbers. */
    internal fun append(event: KernelEvent) {
        val taken = queue.trySend(event)
        if (taken.isSuccess)
            accepted = event.sequence
        else if (!taken.isClosed)
            lose()
    }

    /** Suspends until everything appended so far is on disk; false if that took longer than [within]. */
    internal suspend fun flush(within: Duration): Boolean = reached(accepted, within)

    /** Suspends until event [sequence] is on disk, or cannot be expected there; at most for [within]. */
    internal suspend fun reached(sequence: Long, within: Duration): Boolean =
        withTimeoutOrNull(within) { done.first { it >= minOf(sequence, accepted) } } != null

    /**
     * Writes what was appended and lets go of the directory; false if that took longer than [within]. Then a disk that
     * hangs has a thread in it, and the directory stays locked until that returns.
     */
    internal suspend fun close(within: Duration): Boolean {
        queue.close()
        val ended = withTimeoutOrNull(within) { ending?.join() } != null
        if (!ended) tell("events after number ${done.value} were not on disk within $within of closing")
        ending?.cancel()
        return ended
    }

    private fun begin() {
        ending = scope.launch { run() }
    }

    private suspend fun run() {
        try {
            for (first in queue) {
                val batch = ArrayDeque<KernelEvent>().apply { add(first) }
                while (batch.size < BATCH) batch += queue.tryReceive().getOrNull() ?: break
                keep(batch)
            }
        } finally {
            writer.close()
            lock.close()
        }
    }

    /** Tries until all is written: an event is lost only where [queue] is full. */
    private suspend fun keep(batch: ArrayDeque<KernelEvent>) {
        while (true) {
            val watch = scope.launch {
                delay(limits.patience)
                tell("the disk of $directory has not taken an event for ${limits.patience}")
            }
            val why = try {
                writer.write(batch, { lose() }) { done.value = it }
                null
            } catch (e: IOException) {
                "cannot write events to $directory: ${e.message ?: e.javaClass.simpleName}"
            }
            watch.cancelAndJoin()
            tell(why)
            if (why == null) return
            delay(limits.patience)
        }
    }

    @Synchronized
    private fun lose() {
        lost++
        tell(error)
    }

    @Synchronized
    private fun tell(why: String?) {
        error = why
        val gone = if (lost > 0) "$lost events are not in the journal" else null
        trouble.value = listOfNotNull(why, gone).joinToString("; ").ifEmpty { null }
    }

    public companion object {
        private const val BATCH = 256

        /**
         * Opens the journal in [directory], which is made where it is not there, to write; blocks for reading one
         * segment. The caller closes it. Files are read and written in [context].
         *
         * @throws KernelError.InUse if another kernel or process writes there
         */
        internal fun open(
            directory: Path,
            limits: JournalLimits = JournalLimits(),
            context: CoroutineContext = Dispatchers.IO,
            storage: JournalStorage = DiskStorage,
        ): EventJournal {
            var lock: Closeable? = null
            try {
                Files.createDirectories(directory)
                lock = JournalLock.of(directory)
                val remains = Remains.of(directory)
                if (remains.newer != null) throw newer(directory, remains.newer)
                val file = remains.segment?.let { storage.open(it.path) }
                if (remains.torn > 0) file?.truncate(remains.good)
                val cut = if (remains.torn == 0L)
                    null
                else
                    "${remains.segment?.path}: an unfinished record of ${remains.torn} bytes at byte ${remains.good}"
                val writer = JournalWriter(directory, limits, storage, remains.good, file)
                return EventJournal(directory, limits, context, writer, lock, remains.next, cut).also { it.begin() }
            } catch (e: IOException) {
                lock?.close()
                throw unusable("cannot keep events in $directory", e)
            } catch (e: KernelError) {
                lock?.close()
                throw e
            }
        }

        /**
         * Events of the journal in [directory] from number [from] on, or from the oldest there is; also while another
         * process writes it. Files are read in [context].
         */
        public fun read(
            directory: Path,
            from: Long = 1,
            context: CoroutineContext = Dispatchers.IO,
        ): Flow<JournalRecord> = JournalReader(directory, from).records()
            .catch { throw if (it is IOException) unusable("cannot read the events in $directory", it) else it }
            .flowOn(context)

        private fun unusable(what: String, e: IOException) = KernelError.InvalidRequest(
            what,
            e.toString().substringAfter("java.nio.file."),
            "name a directory of the journal's own that can be read and written",
            e,
        )

        private fun newer(directory: Path, why: String) = KernelError.InvalidRequest(
            "cannot keep events in $directory",
            why,
            "use the version that wrote it, or another directory",
        )
    }
}
