package dev.arraywright.kernel.driver.source

import java.nio.file.Path
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/**
 * What tells one version of a jar from another.
 *
 * @property size in bytes
 * @property modified when the file was written last
 * @property file which one it is on its file system: another one after a rename over it; empty where that is not told
 * @property contents a checksum of the table of contents, which has one of each entry in it
 */
public data class JarFingerprint(
    public val size: Long,
    public val modified: Instant,
    public val file: String,
    public val contents: Long,
)

/**
 * What a [DirectoryWatch] sees. Immutable.
 *
 * @property jars whole ones, by path: settled, and readable as a zip as far as its table of contents
 * @property rejected files that have stayed incomplete for long, and why, to be read after the file's name. One that
 *   was written over a whole jar is in [jars] as well, as that was: whoever has loaded it may go on with it
 * @property degraded why the directory cannot be looked at, or null; what was there stays in [jars] meanwhile
 */
public data class DirectorySight(
    public val jars: Map<Path, JarFingerprint> = emptyMap(),
    public val rejected: Map<Path, String> = emptyMap(),
    public val degraded: String? = null,
)

/** A step from one [DirectorySight] to the next. */
public sealed interface JarChange {
    /** The jar's, in the directory as it was given. */
    public val path: Path

    /** There is a new jar, whole. */
    public data class Appeared(override val path: Path, public val fingerprint: JarFingerprint) : JarChange

    /** Another jar is in its place, whole. */
    public data class Changed(override val path: Path, public val fingerprint: JarFingerprint) : JarChange

    /** It is gone. */
    public data class Removed(override val path: Path) : JarChange

    /** It has been incomplete for long, and is not looked at again until it changes. */
    public data class Rejected(override val path: Path, public val why: String) : JarChange

    /** Where changes come from. */
    public companion object {
        /** The steps from [before] to [after]: what goes first, what comes last, and each in the order of the paths. */
        public fun between(before: DirectorySight, after: DirectorySight): List<JarChange> = buildList {
            for (path in (before.jars.keys - after.jars.keys).sorted()) add(Removed(path))
            for ((path, now) in after.jars.toSortedMap()) {
                val then = before.jars[path]
                if (then != null && then != now) add(Changed(path, now))
            }
            for ((path, now) in after.jars.toSortedMap()) if (path !in before.jars) add(Appeared(path, now))
            for ((path, why) in after.rejected.toSortedMap()) if (path !in before.rejected) add(Rejected(path, why))
        }
    }
}

/**
 * How fast a [DirectoryWatch] is.
 *
 * @property quiet a file that has not changed for so long is looked into; one that is away for so long is gone
 * @property spacing between two looks at the directory, however much happens
 * @property safetyNet a look at least so often, for what nobody tells of: network file systems, targets of links
 * @property absent the same as long as there is no directory
 * @property patience a file that is incomplete and has not changed for so long is rejected
 */
public data class WatchPace(
    public val quiet: Duration = 500.milliseconds,
    public val spacing: Duration = 100.milliseconds,
    public val safetyNet: Duration = 10.seconds,
    public val absent: Duration = 2.seconds,
    public val patience: Duration = 30.seconds,
) {
    init {
        require(quiet.isPositive() && spacing.isPositive() && safetyNet.isPositive() && absent.isPositive())
        require(patience >= quiet) { "a patience of $patience is shorter than the quiet time of $quiet" }
    }
}
