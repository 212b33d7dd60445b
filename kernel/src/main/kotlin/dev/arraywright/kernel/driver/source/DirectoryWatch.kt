package dev.arraywright.kernel.driver.source

import dev.arraywright.kernel.file.DirectoryEvents
import dev.arraywright.kernel.file.WatchServiceEvents
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import java.io.IOException
import java.nio.file.Path
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.TimeSource

/**
 * The jars of a directory as they come, go and change; not those of directories below. A jar that is being copied is
 * waited for. There need not be a directory yet, or any longer, and links are followed. Thread-safe. [close] ends it.
 *
 * @param context where it runs, and whose end ends it
 * @param pattern a glob for the file's name
 * @param io for what blocks: listing the directory, and reading the ends of files
 */
public class DirectoryWatch internal constructor(
    context: CoroutineContext,
    private val files: JarFiles,
    private val events: DirectoryEvents,
    private val io: CoroutineDispatcher,
    time: TimeSource,
    private val pace: WatchPace = WatchPace(),
) : AutoCloseable {
    public constructor(
        context: CoroutineContext,
        directory: Path,
        io: CoroutineDispatcher,
        pattern: String = "*.jar",
        time: TimeSource = TimeSource.Monotonic,
        pace: WatchPace = WatchPace(),
    ) : this(context, JarFiles(directory, pattern), WatchServiceEvents(directory), io, time, pace)

    private val job = SupervisorJob(context[Job])
    private val wake = Channel<Unit>(Channel.CONFLATED)
    private val began = time.markNow()
    private val settling = Settling(pace)
    private val shown = MutableStateFlow(DirectorySight())

    /** What is there; nothing until jars have settled. */
    public val sight: StateFlow<DirectorySight> = shown.asStateFlow()

    /**
     * The steps of [sight], for each collector its own: first what is there is [JarChange.Appeared], then what changes.
     * Whoever is slow sees fewer, larger steps, and after each batch of them has what [sight] had.
     */
    public val changes: Flow<JarChange> = flow {
        var before = DirectorySight()
        sight.collect { after ->
            for (change in JarChange.between(before, after)) emit(change)
            before = after
        }
    }

    init {
        job.invokeOnCompletion { events.close() }
        events.start { wake.trySend(Unit) }
        CoroutineScope(context + job).launch { run() }
    }

    /** Looks soon, without being told that something happened. */
    public fun rescan() {
        wake.trySend(Unit)
    }

    /** Nothing changes afterwards. */
    override fun close() {
        job.cancel()
        events.close()
    }

    private suspend fun run() {
        while (true) {
            val period = look()
            val wait = settling.nextDue?.let { minOf(it - now(), period) } ?: period
            if (wait.isPositive()) withTimeoutOrNull(wait) { wake.receive() }
            delay(pace.spacing)
        }
    }

    /** Returns when to look next at the latest. */
    private suspend fun look(): Duration {
        val (seen, followed) = try {
            withContext(io) {
                // Followed before it is listed: what happens after the listing is told then.
                val identity = files.identity()
                events.follow(identity)
                // What came to its place meanwhile is not followed yet, and nobody tells of that.
                files.list() to (files.identity() == identity)
            }
        } catch (e: IOException) {
            shown.value = shown.value.copy(degraded = e.message ?: e.toString())
            return pace.absent
        }
        settling.see(now(), seen.orEmpty())
        for ((path, before) in settling.due(now())) {
            val (contents, after) = withContext(io) { files.examine(path) to files.look(path) }
            settling.examined(now(), path, after, contents)
        }
        shown.value = DirectorySight(settling.jars, settling.rejected)
        return if (seen == null || !followed) pace.absent else pace.safetyNet
    }

    private fun now(): Duration = began.elapsedNow()
}
