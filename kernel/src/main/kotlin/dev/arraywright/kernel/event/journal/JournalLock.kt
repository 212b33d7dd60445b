package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.KernelError
import java.io.Closeable
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.channels.OverlappingFileLockException
import java.nio.file.Path
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.WRITE

/** The right to write a journal: a lock on the file `lock` in its directory, which the system frees when a process ends. */
internal class JournalLock private constructor(private val channel: FileChannel) : Closeable {
    override fun close() = channel.close()

    companion object {
        @Throws(IOException::class)
        fun of(directory: Path): JournalLock {
            val channel = FileChannel.open(directory.resolve("lock"), CREATE, WRITE)
            val lock = try {
                channel.tryLock()
            } catch (_: OverlappingFileLockException) {
                null
            } catch (e: IOException) {
                channel.close()
                throw e
            }
            if (lock != null) return JournalLock(channel)
            channel.close()
            throw KernelError.InUse(
                "cannot keep events in $directory",
                "another kernel writes its events there",
                "end that one, or name another directory",
            )
        }
    }
}
