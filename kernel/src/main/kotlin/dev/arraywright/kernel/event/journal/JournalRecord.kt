package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.event.KernelEvent
import java.nio.file.Path

/** What a reader finds in a journal. */
public sealed interface JournalRecord {
    /** An event, as it was emitted. */
    public data class Event(public val event: KernelEvent) : JournalRecord

    /** [bytes] at [offset] of [file] are no record; what is before and behind them can be read. */
    public data class Damaged(
        public val file: Path,
        public val offset: Long,
        public val bytes: Long,
        public val why: String,
    ) : JournalRecord {
        override fun toString(): String = "$file is damaged at byte $offset ($bytes bytes): $why"
    }
}
