package dev.arraywright.hardware.health.history

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.TRUNCATE_EXISTING
import java.nio.file.StandardOpenOption.WRITE
import java.security.MessageDigest
import kotlin.io.path.createDirectories
import kotlin.io.path.getLastModifiedTime
import kotlin.io.path.inputStream
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.moveTo
import kotlin.time.Instant

/** A device's history, and what was wrong with the file of it that there was. */
internal data class LoadedHistory(val history: HealthHistory, val problem: String?)

/**
 * Histories in [directory], a file a device, at most [limit] files: beyond, those that were written longest ago go. A
 * file is replaced as a whole, so a crash leaves the old or the new one. What cannot be understood is set aside under a
 * name that ends in `.damaged`, and the device's history begins anew. Blocks; thread-safe.
 */
internal class HistoryFiles(private val directory: Path, private val limit: Int = 1024) {
    /** Throws [IOException] if the directory cannot be read. */
    fun load(id: String, now: Instant): LoadedHistory {
        val file = file(id)
        return try {
            val bytes = file.inputStream().use { it.readNBytes(HistoryFormat.LIMIT + 1) }
            LoadedHistory(HistoryFormat.parse(bytes, id, now), null)
        } catch (_: NoSuchFileException) {
            LoadedHistory(HealthHistory.EMPTY, null)
        } catch (e: HistoryFormatException) {
            val aside = file.resolveSibling("${file.fileName}$DAMAGED")
            file.moveTo(aside, overwrite = true)
            LoadedHistory(HealthHistory.EMPTY, "$file was ${e.message}; set aside as ${aside.fileName}")
        }
    }

    /** Throws [IOException]. */
    fun save(id: String, history: HealthHistory): Unit = synchronized(this) {
        directory.createDirectories()
        val file = file(id)
        val next = file.resolveSibling("${file.fileName}$NEW")
        FileChannel.open(next, CREATE, WRITE, TRUNCATE_EXISTING).use { channel ->
            val bytes = ByteBuffer.wrap(HistoryFormat.encode(id, history))
            while (bytes.hasRemaining()) channel.write(bytes)
            channel.force(true)
        }
        Files.move(next, file, ATOMIC_MOVE, REPLACE_EXISTING)
        FileChannel.open(directory, READ).use { it.force(true) }
        prune(file)
    }

    private fun prune(written: Path) {
        val files = directory.listDirectoryEntries("$PREFIX*")
        if (files.size <= limit) return
        val oldest = files.filter { it != written }.sortedBy { lastWritten(it) }
        oldest.take(files.size - limit).forEach(Files::deleteIfExists)
    }

    private fun lastWritten(file: Path): Long = try {
        file.getLastModifiedTime().toMillis()
    } catch (_: NoSuchFileException) {
        0
    }

    internal fun file(id: String): Path = directory.resolve(PREFIX + escape(id))

    internal companion object {
        private const val PREFIX = "health-"
        private const val DAMAGED = ".damaged"
        private const val NEW = ".new"
        private const val LONGEST = 180
        private const val PLAIN = 100

        /** The id with all but letters, digits, `-` and `_` as `%XX`; a long one's end is its digest. */
        fun escape(id: String): String {
            val escaped = id.encodeToByteArray().joinToString("") { byte ->
                val char = byte.toInt().toChar()
                val plain = char in 'a'..'z' || char in 'A'..'Z' || char in '0'..'9' || char == '-' || char == '_'
                if (plain) char.toString() else "%" + byte.toHexString()
            }
            if (escaped.length <= LONGEST) return escaped
            return escaped.take(
                PLAIN,
            ) + "+" + MessageDigest.getInstance("SHA-256").digest(id.encodeToByteArray()).toHexString()
        }
    }
}
