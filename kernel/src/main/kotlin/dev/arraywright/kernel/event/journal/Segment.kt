package dev.arraywright.kernel.event.journal

import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.name

/** A file of a journal: `events-<first sequence number, 20 digits>.journal`, so that names sort as numbers do. */
internal data class Segment(val path: Path, val first: Long) {
    companion object {
        private const val PREFIX = "events-"
        private const val SUFFIX = ".journal"
        private const val DIGITS = 20

        fun named(directory: Path, first: Long): Segment =
            Segment(directory.resolve(PREFIX + first.toString().padStart(DIGITS, '0') + SUFFIX), first)

        /** Those in [directory], oldest first; other files are none of the journal's business. */
        @Throws(IOException::class)
        fun of(directory: Path): List<Segment> = Files.newDirectoryStream(directory, "$PREFIX*$SUFFIX").use { paths ->
            paths.mapNotNull { path ->
                val digits = path.name.removePrefix(PREFIX).removeSuffix(SUFFIX)
                val first = digits.takeIf { it.length == DIGITS && it.all(Char::isDigit) }?.toLongOrNull()
                first?.takeIf { it in 1..JournalFormat.LAST_SEQUENCE }?.let { Segment(path, it) }
            }.sortedBy { it.first }
        }
    }
}
