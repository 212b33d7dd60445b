package dev.arraywright.kernel.driver.source

import dev.arraywright.kernel.file.identityOf
import java.io.IOException
import java.nio.file.DirectoryIteratorException
import java.nio.file.Files
import java.nio.file.LinkOption
import java.nio.file.NoSuchFileException
import java.nio.file.NotDirectoryException
import java.nio.file.Path
import java.nio.file.PathMatcher
import java.nio.file.attribute.BasicFileAttributes
import java.nio.file.attribute.FileTime

/** The files of one directory whose names fit a pattern. Blocks. */
internal class JarFiles(private val directory: Path, pattern: String) {
    private val matcher: PathMatcher = directory.fileSystem.getPathMatcher("glob:$pattern")

    /**
     * What is there, links followed, directories left out; null if there is no such directory.
     *
     * @throws IOException if it cannot be listed
     */
    fun list(): Map<Path, FileSighting>? = try {
        Files.newDirectoryStream(directory) { matcher.matches(it.fileName) }.use { stream ->
            buildMap { for (path in stream) look(path)?.let { put(path, it) } }
        }
    } catch (_: NoSuchFileException) {
        null
    } catch (_: NotDirectoryException) {
        null
    } catch (e: DirectoryIteratorException) {
        throw e.cause ?: IOException(e)
    }

    /** Null if it is no file, or gone. */
    fun look(path: Path): FileSighting? = try {
        val told = Files.readAttributes(path, BasicFileAttributes::class.java)
        if (told.isRegularFile) {
            val modified = told.lastModifiedTime().toInstant()
            FileSighting(told.size(), modified, touched(path) ?: modified, told.fileKey()?.toString().orEmpty())
        } else {
            null
        }
    } catch (_: IOException) {
        null
    }

    /** Which directory it is, as another one may come to its place; null if there is none, or that is not told. */
    fun identity(): Any? = identityOf(directory)

    fun examine(path: Path): Contents = try {
        ZipTable.read(path)
    } catch (e: IOException) {
        Contents.Incomplete("cannot be read (${e.message})")
    }

    private fun touched(path: Path) =
        if (UNIX in path.fileSystem.supportedFileAttributeViews()) {
            (Files.getAttribute(path, "$UNIX:ctime", *FOLLOW) as FileTime).toInstant()
        } else {
            null
        }

    private companion object {
        const val UNIX = "unix"
        val FOLLOW = emptyArray<LinkOption>()
    }
}
