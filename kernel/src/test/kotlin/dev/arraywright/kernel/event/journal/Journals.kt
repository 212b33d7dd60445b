package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.event.KernelEvent
import kotlinx.coroutines.flow.toList
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import kotlin.io.path.listDirectoryEntries
import kotlin.time.Duration.Companion.seconds

/** Long enough for a disk that works on a busy machine. */
internal val LONG = 30.seconds

internal suspend fun EventJournal.use(action: suspend (EventJournal) -> Unit) {
    try {
        action(this)
    } finally {
        check(close(LONG)) { "the journal did not close" }
    }
}

internal fun EventJournal.append(events: Iterable<KernelEvent>): Unit = events.forEach(::append)

internal fun segments(directory: Path): List<Path> = directory.listDirectoryEntries("*.journal").sorted()

internal suspend fun numbers(directory: Path, from: Long = 1): List<Long> =
    EventJournal.read(directory, from).toList().map { (it as JournalRecord.Event).event.sequence }

/** A disk that fails or hangs on demand; a write that fails has written half. */
internal class FaultyStorage : JournalStorage {
    @Volatile
    var fault: (String) -> Unit = {}

    override fun open(path: Path): JournalFile {
        fault("open")
        return FaultyFile(DiskStorage.open(path))
    }

    override fun sync(directory: Path) {
        fault("sync")
        DiskStorage.sync(directory)
    }

    fun failing(vararg operations: String) {
        fault = { if (it in operations) throw IOException("no space left in the spec") }
    }

    private inner class FaultyFile(private val file: JournalFile) : JournalFile {
        override fun write(bytes: ByteBuffer, offset: Long) {
            try {
                fault("write")
            } catch (e: IOException) {
                file.write(bytes.slice(0, bytes.remaining() / 2), offset)
                throw e
            }
            file.write(bytes, offset)
        }

        override fun truncate(size: Long) = file.truncate(size)

        override fun force() {
            fault("force")
            file.force()
        }

        override fun close() = file.close()
    }
}

/** Holds up whoever comes until it is opened. */
internal class Hang {
    private val opened = CountDownLatch(1)

    fun pass(): Unit = opened.await()

    fun open(): Unit = opened.countDown()
}
