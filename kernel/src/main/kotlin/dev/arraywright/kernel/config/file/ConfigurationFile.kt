package dev.arraywright.kernel.config.file

import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.Reconfiguration
import dev.arraywright.kernel.event.ConfigurationChanged
import dev.arraywright.kernel.event.ConfigurationRejected
import dev.arraywright.kernel.file.DirectoryEvents
import dev.arraywright.kernel.file.WatchServiceEvents
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.io.IOException
import java.nio.file.Path

/**
 * A configuration file, and the configuration that counts: the latest that could be used. It changes both ways. What an
 * operator writes is taken in by [follow] or [reload]; what a kernel was told meanwhile is written by [change], on top of
 * what is in the file by then, and never over a file that cannot be used: that is an operator's work in progress.
 * Thread-safe; one for each file in a process.
 *
 * ```
 * val file = ConfigurationFile.open(Path.of("/etc/arraywright.json"))
 * val failures = kernel.apply(file.current.value)
 * launch { file.follow(kernel) }
 * ```
 */
public class ConfigurationFile private constructor(public val path: Path, start: Configuration, text: String) {
    private val disk = DiskFile(path)
    private val turn = Mutex()

    /** Of reloads, which take as long as devices do; no change waits for that. */
    private val reloading = Mutex()
    private val counting = MutableStateFlow(start)
    private val refused = MutableStateFlow<KernelError?>(null)

    /** What the file held when it was looked at last. */
    private var seen = text

    /** What the kernel was given, or did: behind [current] until the next [reload]. */
    private var applied = start

    /** What was done while a reload is under way; null where none is. */
    private var meanwhile: MutableList<(Configuration) -> Configuration>? = null

    /** What an event was told of last. */
    private var told: KernelError? = null

    /** What counts. */
    public val current: StateFlow<Configuration> = counting.asStateFlow()

    /** Why the file, as it is now, does not count; null if it does. */
    public val rejected: StateFlow<KernelError?> = refused.asStateFlow()

    /**
     * Writes what [transform] makes of the configuration, unless it is the same: of what counts, and of what stands in the
     * file, where that was edited meanwhile; so it may be asked more than once. For what a kernel has done already. The
     * file is replaced as a whole, so a crash leaves the old or the new one; what an operator wrote stays beside it
     * with `~` appended, for its comments are lost.
     *
     * @throws KernelError.BadConfiguration if it cannot be written, or was edited and cannot be used or be brought
     *   together with the change
     */
    public suspend fun change(transform: (Configuration) -> Configuration): Unit = turn.withLock {
        // The kernel has done it: whoever does not wait for the file any more wants it written nevertheless.
        withContext(NonCancellable) {
            repeat(ATTEMPTS) { if (changed(transform)) return@withContext }
            throw unwritten("$path is edited all the time", "leave it at rest", null)
        }
    }

    /** False if the file was edited meanwhile. */
    private suspend fun changed(transform: (Configuration) -> Configuration): Boolean {
        look()
        refused.value?.let {
            throw unwritten("$path was edited, and cannot be used: ${it.why}", "correct the file", it)
        }
        val old = counting.value
        val new = try {
            transform(old)
        } catch (e: IllegalArgumentException) {
            throw unwritten("$path has what contradicts it: ${e.message}", "correct the file", e)
        }
        if (new != old) {
            val text = new.print()
            // Comments are in the way that an operator wrote it only.
            val written = seen != old.print()
            try {
                if (!withContext(Dispatchers.IO) { disk.replace(text, seen, keep = written) }) return false
            } catch (e: IOException) {
                throw unwritten("$path cannot be written: ${e.message}", "make the file writable", e)
            }
            seen = text
            counting.value = new
        }
        applied = applied.with(transform)
        meanwhile?.add(transform)
        return true
    }

    /**
     * Looks at the file and has [kernel] do as it says, if it was edited; what comes of it is told by an event, too. Null
     * if there is nothing to do. Where it is cancelled on its way, all of it is for the next one to do.
     */
    public suspend fun reload(kernel: ArraywrightKernel): Reloaded? = reloading.withLock {
        val (before, next, text) = turn.withLock {
            look()
            refused.value?.let {
                if (it !== told) tell(kernel, it)
                return Reloaded.Rejected(it)
            }
            if (counting.value == applied) return null
            meanwhile = mutableListOf()
            Triple(applied, counting.value, seen)
        }
        try {
            val outcome = kernel.reconfigure(before, next)
            turn.withLock { applied = meanwhile.orEmpty().fold(next) { c, transform -> c.with(transform) } }
            kernel.tell(ConfigurationChanged("$path", outcome.notes, outcome.failures.map { "${it.message}" }))
            Reloaded.Changed(outcome)
        } catch (e: KernelError.BadConfiguration) {
            turn.withLock {
                tell(kernel, e)
                // What is in the file by now is for the next reload to judge.
                if (seen == text) {
                    counting.value = applied
                    refused.value = e
                }
            }
            Reloaded.Rejected(e)
        } finally {
            withContext(NonCancellable) { turn.withLock { meanwhile = null } }
        }
    }

    /**
     * As [reload], now and whenever the file has changed and is at rest, until it is cancelled; each outcome is given to
     * [told]. A link is followed: what counts is what it leads to.
     */
    public suspend fun follow(kernel: ArraywrightKernel, told: (Reloaded) -> Unit = {}): Nothing =
        follow(kernel, FollowPace(), WatchServiceEvents(disk.directory), told)

    internal suspend fun follow(
        kernel: ArraywrightKernel,
        pace: FollowPace,
        events: DirectoryEvents,
        told: (Reloaded) -> Unit,
    ): Nothing {
        val rest = FileRest(disk, events, pace)
        var known: KernelError? = null
        try {
            while (true) {
                rest.await()
                val outcome = reload(kernel)
                val error = (outcome as? Reloaded.Rejected)?.error
                // One that is wrong still was told of.
                if (outcome != null && (error == null || error !== known)) told(outcome)
                known = error
            }
        } finally {
            rest.close()
        }
    }

    /** One that is gone is not missed: the next change writes it anew. */
    private suspend fun look() {
        val text = try {
            withContext(Dispatchers.IO) { disk.read() } ?: return
        } catch (e: IOException) {
            val error = KernelError.BadConfiguration(
                "cannot use the configuration $path",
                "it cannot be read: ${e.message}",
                "make it readable for this process",
                e,
            )
            if (refused.value?.why != error.why) refused.value = error
            return
        }
        if (text == seen && refused.value?.cause !is IOException) return
        seen = text
        try {
            counting.value = Configuration.parse(text, "$path").also { it.check("$path") }
            refused.value = null
        } catch (e: KernelError.BadConfiguration) {
            refused.value = e
        }
    }

    private fun Configuration.with(transform: (Configuration) -> Configuration) = try {
        transform(this)
    } catch (_: IllegalArgumentException) {
        // An edit makes room for it; the reload of that finds it done.
        this
    }

    private fun tell(kernel: ArraywrightKernel, error: KernelError) {
        told = error
        kernel.tell(ConfigurationRejected("$path", error.why))
    }

    private fun unwritten(why: String, remedy: String, cause: Exception?) = KernelError.BadConfiguration(
        "the change was made, but will not outlast this process",
        why,
        "$remedy, and repeat the change in it by hand",
        cause,
    )

    public companion object {
        private const val ATTEMPTS = 5

        /**
         * The configuration that [path] has now. Blocks while it is read.
         *
         * @throws KernelError.BadConfiguration if it cannot be used
         */
        public fun open(path: Path): ConfigurationFile {
            val text = Configuration.read(path)
            return ConfigurationFile(path, Configuration.parse(text, "$path"), text)
        }

        /**
         * Writes a new file for [configuration], which is its owner's alone, syncs it and puts it in the place of [path].
         * Blocks for that.
         *
         * @throws KernelError.BadConfiguration if it cannot be written
         */
        public fun create(path: Path, configuration: Configuration): ConfigurationFile {
            val text = configuration.print()
            try {
                DiskFile(path).replace(text, seen = null, keep = true)
            } catch (e: IOException) {
                throw KernelError.BadConfiguration(
                    "cannot make the configuration $path",
                    "it cannot be written: ${e.message}",
                    "name a file in a directory that is writable",
                    e,
                )
            }
            return ConfigurationFile(path, configuration, text)
        }
    }
}

/** What came of a file that was edited. */
public sealed interface Reloaded {
    /** It counts. */
    public data class Changed(public val outcome: Reconfiguration) : Reloaded

    /** It cannot be used, for [error]; what counted before goes on. */
    public data class Rejected(public val error: KernelError) : Reloaded
}
