package dev.arraywright.kernel.config.file

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.charset.CharacterCodingException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.StandardOpenOption.TRUNCATE_EXISTING
import java.nio.file.StandardOpenOption.WRITE
import java.nio.file.attribute.BasicFileAttributes

/** A text file as it lies on a disk. Everything here blocks. */
internal class DiskFile(private val path: Path) {
    /** Where [path] is; also if it leads elsewhere. */
    val directory: Path = path.toAbsolutePath().normalize().parent

    /** What tells one state of the file from another without reading it; null if there is none. */
    fun stamp(): Any? = try {
        val now = attributes()
        listOf(now.size(), now.lastModifiedTime(), now.fileKey())
    } catch (_: IOException) {
        null
    }

    /** Null if there is none, or it is something that can be read only once, as a pipe. */
    fun read(): String? {
        val now = try {
            attributes()
        } catch (_: NoSuchFileException) {
            return null
        }
        if (!now.isRegularFile) return null
        if (now.size() > LARGEST) throw IOException("it has more than $LARGEST bytes")
        return try {
            Files.readString(path)
        } catch (_: NoSuchFileException) {
            null
        } catch (e: CharacterCodingException) {
            throw IOException("it is no text in UTF-8", e)
        }
    }

    /** Writes and syncs a new file, then puts it in the place of this one, of which a copy stays with `~` appended. */
    fun replace(text: String) {
        // A link stays one: what it leads to is replaced.
        val target = if (Files.exists(path)) path.toRealPath() else path.toAbsolutePath()
        val next = target.resolveSibling("${target.fileName}.new")
        FileChannel.open(next, CREATE, WRITE, TRUNCATE_EXISTING).use { channel ->
            val bytes = ByteBuffer.wrap(text.toByteArray())
            while (bytes.hasRemaining()) channel.write(bytes)
            channel.force(true)
        }
        if (Files.exists(target)) Files.copy(target, target.resolveSibling("${target.fileName}~"), REPLACE_EXISTING)
        Files.move(next, target, ATOMIC_MOVE, REPLACE_EXISTING)
    }

    private fun attributes() = Files.readAttributes(path, BasicFileAttributes::class.java)

    private companion object {
        const val LARGEST = 16 shl 20
    }
}
