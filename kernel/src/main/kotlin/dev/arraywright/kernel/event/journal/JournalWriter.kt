package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.event.KernelEvent
import java.io.ByteArrayOutputStream
import java.io.Closeable
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE

/** Where segments are kept; another one in specs of disks that fail. */
internal interface JournalStorage {
    /** Opens a file to append to, which is made where it is not there. */
    @Throws(IOException::class)
    fun open(path: Path): JournalFile

    /** Returns once files that were made in [directory] are there after a power cut. */
    @Throws(IOException::class)
    fun sync(directory: Path)
}

/** One open segment. */
internal interface JournalFile : Closeable {
    @Throws(IOException::class)
    fun write(bytes: ByteBuffer, offset: Long)

    @Throws(IOException::class)
    fun truncate(size: Long)

    @Throws(IOException::class)
    fun force()
}

internal object DiskStorage : JournalStorage {
    override fun open(path: Path): JournalFile = DiskFile(FileChannel.open(path, CREATE, WRITE))

    override fun sync(directory: Path) = FileChannel.open(directory, READ).use { it.force(true) }

    private class DiskFile(private val channel: FileChannel) : JournalFile {
        override fun write(bytes: ByteBuffer, offset: Long) {
            var at = offset
            while (bytes.hasRemaining()) at += channel.write(bytes, at)
        }

        override fun truncate(size: Long) {
            channel.truncate(size)
        }

        override fun force() = channel.force(false)

        override fun close() = channel.close()
    }
}

/**
 * Appends to the last segment and begins another when it is full; blocks, and belongs to one coroutine. Every byte up to
 * [good] is on stable storage; a write that failed may have left some behind it, which the next one replaces.
 */
internal class JournalWriter(
    private val directory: Path,
    private val limits: JournalLimits,
    private val storage: JournalStorage,
    private var good: Long,
    private var file: JournalFile?,
) : Closeable {
    private val pending = ByteArrayOutputStream()
    private var behind = 0
    private var torn = false

    /**
     * Takes events off [batch] as they are on stable storage, and tells the number of the last to [written]. After an
     * error it is called again with what is left. Events that are too long for a record go to [refused].
     */
    @Throws(IOException::class)
    fun write(batch: ArrayDeque<KernelEvent>, refused: (KernelEvent) -> Unit, written: (Long) -> Unit) {
        pending.reset()
        behind = 0
        while (behind < batch.size) {
            val event = batch[behind]
            val line = JournalFormat.encode(event)
            if (line == null) {
                batch.removeAt(behind)
                refused(event)
                continue
            }
            val size = good + pending.size()
            if (file == null || (size > 0 && size + line.size > limits.segmentBytes)) {
                settle(batch, written)
                begin(event.sequence)
            }
            pending.write(line)
            behind++
        }
        settle(batch, written)
    }

    private fun settle(batch: ArrayDeque<KernelEvent>, written: (Long) -> Unit) {
        if (behind == 0) return
        val open = checkNotNull(file) { "no segment is open" }
        if (torn) open.truncate(good)
        torn = true
        open.write(ByteBuffer.wrap(pending.toByteArray()), good)
        open.force()
        torn = false
        good += pending.size()
        pending.reset()
        val last = batch[behind - 1].sequence
        repeat(behind) { batch.removeFirst() }
        behind = 0
        written(last)
    }

    private fun begin(first: Long) {
        if (torn) file?.truncate(good)
        val fresh = storage.open(Segment.named(directory, first).path)
        try {
            fresh.truncate(0)
            storage.sync(directory)
        } catch (e: IOException) {
            fresh.close()
            throw e
        }
        val full = file
        file = fresh
        good = 0
        torn = false
        full?.close()
        Segment.of(directory).dropLast(limits.segments).forEach { Files.deleteIfExists(it.path) }
    }

    override fun close() {
        file?.close()
    }
}
