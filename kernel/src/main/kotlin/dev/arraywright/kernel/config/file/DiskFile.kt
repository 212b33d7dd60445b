package dev.arraywright.kernel.config.file

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.charset.CharacterCodingException
import java.nio.file.FileSystemException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import java.nio.file.StandardCopyOption.COPY_ATTRIBUTES
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import java.nio.file.StandardOpenOption.CREATE_NEW
import java.nio.file.StandardOpenOption.READ
import java.nio.file.StandardOpenOption.WRITE
import java.nio.file.attribute.BasicFileAttributes
import java.nio.file.attribute.PosixFileAttributeView
import java.nio.file.attribute.PosixFileAttributes
import java.nio.file.attribute.PosixFilePermission
import java.nio.file.attribute.PosixFilePermissions

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

    /**
     * Writes and syncs a new file with owner and permissions of this one, then puts it in the place of this one. False,
     * and nothing is done, if this one does not hold [seen] any more; null is for whatever it holds. With [keep] what
     * was there stays beside it with `~` appended.
     */
    fun replace(text: String, seen: String?, keep: Boolean): Boolean {
        // A link stays one: what it leads to is replaced.
        val target = if (Files.exists(path)) path.toRealPath() else path.toAbsolutePath()
        val next = target.resolveSibling("${target.fileName}.new")
        try {
            write(text, next, target)
            if (keep && Files.exists(target)) keep(target)
            // As late as can be: the write took its time.
            if (seen != null && !holds(seen)) return false
            Files.move(next, target, ATOMIC_MOVE, REPLACE_EXISTING)
        } finally {
            // On a full disk it would only be in the way.
            Files.deleteIfExists(next)
        }
        // Until then a crash may bring the old file back.
        FileChannel.open(target.parent, READ).use { it.force(true) }
        return true
    }

    private fun write(text: String, next: Path, target: Path) {
        Files.deleteIfExists(next)
        val posix = Files.getFileAttributeView(target.parent, PosixFileAttributeView::class.java) != null
        // Settings may be secrets.
        val own = if (posix) arrayOf(PosixFilePermissions.asFileAttribute(OWNERS)) else emptyArray()
        FileChannel.open(next, setOf(CREATE_NEW, WRITE), *own).use { channel ->
            if (posix && Files.exists(target)) inherit(target, next)
            val bytes = ByteBuffer.wrap(text.toByteArray())
            while (bytes.hasRemaining()) channel.write(bytes)
            channel.force(true)
        }
    }

    private fun inherit(from: Path, to: Path) {
        val old = Files.readAttributes(from, PosixFileAttributes::class.java)
        val view = Files.getFileAttributeView(to, PosixFileAttributeView::class.java)
        val new = view.readAttributes()
        if (new.owner() != old.owner()) possible { view.owner = old.owner() }
        val group = new.group() == old.group() || possible { view.setGroup(old.group()) }
        // What one group may see is not for another.
        view.setPermissions(if (group) old.permissions() else old.permissions() - GROUPS)
    }

    /** Only root gives files away. */
    private fun possible(action: () -> Unit): Boolean = try {
        action()
        true
    } catch (_: IOException) {
        false
    }

    /** By a link: it takes no room, and who has the file open for writing just now writes to what stays. */
    private fun keep(target: Path) {
        val old = target.resolveSibling("${target.fileName}~")
        val link = target.resolveSibling("${target.fileName}~.new")
        Files.deleteIfExists(link)
        try {
            try {
                Files.createLink(link, target)
            } catch (_: UnsupportedOperationException) {
                Files.copy(target, link, COPY_ATTRIBUTES)
            } catch (_: FileSystemException) {
                Files.copy(target, link, COPY_ATTRIBUTES)
            }
            Files.move(link, old, ATOMIC_MOVE, REPLACE_EXISTING)
        } finally {
            // Where both are one file already, a move does nothing.
            Files.deleteIfExists(link)
        }
    }

    /** One that is gone is nobody's work. */
    private fun holds(seen: String): Boolean = try {
        (read() ?: seen) == seen
    } catch (_: IOException) {
        false
    }

    private fun attributes() = Files.readAttributes(path, BasicFileAttributes::class.java)

    private companion object {
        const val LARGEST = 16 shl 20
        val OWNERS: Set<PosixFilePermission> = PosixFilePermissions.fromString("rw-------")
        val GROUPS: Set<PosixFilePermission> = PosixFilePermissions.fromString("---rwx---")
    }
}
