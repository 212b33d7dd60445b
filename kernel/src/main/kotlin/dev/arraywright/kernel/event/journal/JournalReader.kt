package dev.arraywright.kernel.event.journal

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector
import kotlinx.coroutines.flow.flow
import java.io.IOException
import java.nio.channels.Channels
import java.nio.channels.FileChannel
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardOpenOption.READ

/**
 * Reads [directory] from the record of sequence number [from], while another process or coroutine may write there: what
 * a write has not ended yet is not read, and a segment that is rotated away meanwhile is gone for this reader too.
 */
internal class JournalReader(private val directory: Path, private val from: Long) {
    private var last = 0L

    fun records(): Flow<JournalRecord> = flow {
        var segments = Segment.of(directory)
        var current = segments.lastOrNull { it.first <= from } ?: segments.firstOrNull() ?: return@flow
        var offset = 0L
        while (true) {
            // Asked before reading: once there is a next segment, nothing more is written to this one.
            val next = segments.firstOrNull { it.first > current.first }
            offset = read(current, offset, next != null)
            if (next != null) {
                current = next
                offset = 0
            } else {
                segments = Segment.of(directory)
                if (segments.none { it.first > current.first }) return@flow
            }
        }
    }

    /** Reads what is behind [offset]; returns where the next reading goes on. */
    private suspend fun FlowCollector<JournalRecord>.read(segment: Segment, offset: Long, whole: Boolean): Long {
        val channel = try {
            FileChannel.open(segment.path, READ)
        } catch (_: NoSuchFileException) {
            return offset
        }
        var end = offset
        channel.use {
            it.position(offset)
            val scanner = RecordScanner(Channels.newInputStream(it), offset)
            while (true) {
                val line = scanner.next() ?: break
                if (!line.ended && !whole) break
                end = line.end
                record(segment, line)?.let { record -> emit(record) }
            }
        }
        return end
    }

    private fun record(segment: Segment, line: Scanned): JournalRecord? {
        fun damaged(why: String) = JournalRecord.Damaged(segment.path, line.offset, line.bytes, why)
        return when (val parsed = line.parsed) {
            is Parsed.Bad -> damaged(parsed.why)
            is Parsed.Newer -> damaged(parsed.why)
            is Parsed.Whole -> {
                val event = parsed.event
                if (event.sequence <= last) return damaged("the number ${event.sequence} comes after $last")
                last = event.sequence
                if (event.sequence < from) null else JournalRecord.Event(event)
            }
        }
    }
}

/** What was left of a journal by whoever wrote it last. */
internal class Remains(
    /** The first number that nobody has used. */
    val next: Long,
    /** The segment to go on with, and how many of its bytes are records. */
    val segment: Segment?,
    val good: Long,
    /** Bytes behind them. */
    val torn: Long,
    /** Why this program must not write here. */
    val newer: String?,
) {
    companion object {
        /** Looks at the last segment: what is behind its last record was being written when the writer ended. */
        @Throws(IOException::class)
        fun of(directory: Path): Remains {
            val segment = Segment.of(directory).lastOrNull() ?: return Remains(1, null, 0, 0, null)
            var next = segment.first
            var good = 0L
            var end = 0L
            var newer: String? = null
            FileChannel.open(segment.path, READ).use { channel ->
                val scanner = RecordScanner(Channels.newInputStream(channel))
                while (true) {
                    val line = scanner.next() ?: break
                    end = line.end
                    when (val parsed = line.parsed) {
                        is Parsed.Whole -> {
                            next = maxOf(next, parsed.event.sequence + 1)
                            good = line.end
                        }
                        is Parsed.Newer -> newer = "${segment.path} has a newer record: ${parsed.why}"
                        is Parsed.Bad -> Unit
                    }
                }
            }
            return Remains(next, segment, good, end - good, newer)
        }
    }
}
