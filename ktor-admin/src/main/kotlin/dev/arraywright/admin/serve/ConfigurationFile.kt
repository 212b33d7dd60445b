package dev.arraywright.admin.serve

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.Configuration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.TRUNCATE_EXISTING
import java.nio.file.StandardOpenOption.WRITE

/**
 * The configuration that a serving process keeps running, and its file. A change replaces the file as a whole, so a
 * crash leaves the old or the new one; the one before stays beside it with `~` appended, for its comments are lost.
 */
internal class ConfigurationFile(val path: Path, start: Configuration) {
    private val turn = Mutex()

    @Volatile
    var current: Configuration = start
        private set

    /** Writes what [transform] makes of the current configuration, unless it is the same. */
    suspend fun change(transform: (Configuration) -> Configuration): Unit = turn.withLock {
        val changed = transform(current)
        if (changed == current) return
        try {
            withContext(Dispatchers.IO) { write(path, changed) }
        } catch (e: IOException) {
            throw KernelError.BadConfiguration(
                "the change was made, but will not outlast this process",
                "$path cannot be written: ${e.message}",
                "make the file writable and repeat the change in it by hand",
                e,
            )
        }
        current = changed
    }

    companion object {
        /** Writes and syncs a new file, then puts it in the place of [path]. */
        fun write(path: Path, configuration: Configuration) {
            val next = path.resolveSibling("${path.fileName}.new")
            FileChannel.open(next, CREATE, WRITE, TRUNCATE_EXISTING).use { channel ->
                val bytes = java.nio.ByteBuffer.wrap(configuration.print().toByteArray())
                while (bytes.hasRemaining()) channel.write(bytes)
                channel.force(true)
            }
            if (Files.exists(path)) Files.copy(path, path.resolveSibling("${path.fileName}~"), REPLACE_EXISTING)
            Files.move(next, path, ATOMIC_MOVE, REPLACE_EXISTING)
        }
    }
}
