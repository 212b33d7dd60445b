package dev.arraywright.kernel.driver.source

import java.nio.file.Path
import java.time.Instant
import kotlin.time.Duration

/** A file as the file system tells of it; the same as long as nobody writes to it or puts another in its place. */
internal data class FileSighting(
    val size: Long,
    val modified: Instant,
    /** When anything of it changed: who copies a file may set back when it was modified, but not this. */
    val touched: Instant,
    val file: String,
)

/** What is found in a file. */
internal sealed interface Contents {
    /** A zip with its table of contents, which has this [checksum]. */
    data class Whole(val checksum: Long) : Contents

    /** No such thing, yet. */
    data class Incomplete(val why: String) : Contents
}

/**
 * Waits until files are whole. Pure: it is told of time, sightings and contents, and asks for what it needs next.
 *
 * ```
 * state of a file       on a look                                when due
 * moving                another sighting -> moving anew          after quiet: is examined
 * examined incomplete   another sighting -> moving               after quiet: is examined; after patience: rejected
 * rejected              another sighting -> moving               -
 * settled               another sighting -> moving               -
 * away                  a sighting -> moving                     after quiet: forgotten
 * ```
 *
 * A file that has once settled is in [jars] as it was then, until it settles again or is forgotten.
 */
internal class Settling(private val pace: WatchPace) {
    private class Progress(var seen: FileSighting?, var since: Duration) {
        var due: Duration? = null
        var shown: JarFingerprint? = null
        var rejected: String? = null
    }

    private val files = HashMap<Path, Progress>()

    /** The whole ones. */
    val jars: Map<Path, JarFingerprint>
        get() = buildMap { for ((path, file) in files) file.shown?.let { put(path, it) } }

    /** Those that have stayed incomplete. */
    val rejected: Map<Path, String>
        get() = buildMap { for ((path, file) in files) file.rejected?.let { put(path, it) } }

    /** When it has to be asked for [due] next; null if only a change makes work. */
    val nextDue: Duration? get() = files.values.mapNotNull { it.due }.minOrNull()

    /** All files there are at [now]. */
    fun see(now: Duration, sightings: Map<Path, FileSighting>) {
        for ((path, file) in files) if (path !in sightings) move(file, null, now)
        for ((path, seen) in sightings) {
            val file = files[path]
            move(files.getOrPut(path) { Progress(null, now) }, seen, now)
        }
    }

    /** Forgets what has been away for long enough, and returns what is to be examined. */
    fun due(now: Duration): Map<Path, FileSighting> {
        val ripe = files.filterValues { file -> file.due?.let { it <= now } == true }
        files.keys.removeAll(ripe.filterValues { it.seen == null }.keys)
        return buildMap { for ((path, file) in ripe) file.seen?.let { put(path, it) } }
    }

    /** What was found in a file that was due; [seen] is how it looked after that, null if it is away. */
    fun examined(now: Duration, path: Path, seen: FileSighting?, contents: Contents) {
        val file = files[path] ?: return
        if (move(file, seen, now) || seen == null) return
        when (contents) {
            is Contents.Whole -> {
                file.shown = JarFingerprint(seen.size, seen.modified, seen.file, contents.checksum)
                file.due = null
            }
            is Contents.Incomplete -> {
                val late = now - file.since >= pace.patience
                if (late) file.rejected = contents.why
                file.due = if (late) null else now + pace.quiet
            }
        }
    }

    private fun move(file: Progress, seen: FileSighting?, now: Duration): Boolean {
        if (file.seen == seen) return false
        file.seen = seen
        file.since = now
        file.due = now + pace.quiet
        file.rejected = null
        return true
    }
}
