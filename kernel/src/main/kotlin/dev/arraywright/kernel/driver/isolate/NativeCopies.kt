package dev.arraywright.kernel.driver.isolate

import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.util.Locale
import kotlin.io.path.deleteIfExists
import kotlin.io.path.div
import kotlin.io.path.outputStream

/**
 * The native libraries that one driver loads by [System.loadLibrary]. A library `x` is looked for in the driver's jar
 * and then in its private dependencies, in each of them
 *
 * 1. at `native/<os>-<arch>/` under the platform's name for it: `native/linux-x86_64/libx.so`,
 * 2. at the root of the jar: `libx.so`, for one that serves a single platform.
 *
 * The JVM loads a file into one class loader only, so each driver has copies of its own: two versions of a driver live
 * side by side, each with its library. They are deleted when the driver is unloaded; the JVM itself lets go of the
 * library with the classes. What is not here is the JVM's to look for.
 */
internal class NativeCopies(private val archives: DriverArchives, private val scratch: Path) : AutoCloseable {
    private val copies = HashMap<String, Path>()
    private var directory: Path? = null
    private var closed = false

    /**
     * Where the private copy of the library is, which is made the first time; null if the driver has none of this name.
     *
     * @throws UnsatisfiedLinkError if there is one that cannot be copied or is beyond the limits
     */
    @Synchronized
    fun find(name: String): Path? {
        val file = System.mapLibraryName(name)
        if (closed || '/' in file || '\\' in file) return null
        copies[file]?.let { return it }
        try {
            for (entry in listOf("$FOLDER/$PLATFORM/$file", file)) {
                val archive = archives.all.firstOrNull { entry in it } ?: continue
                return copy(archive, entry, file)
            }
            return null
        } catch (e: IOException) {
            throw UnsatisfiedLinkError("$file of the driver cannot be used: ${e.message}").apply { initCause(e) }
        }
    }

    @Synchronized
    override fun close() {
        closed = true
        copies.values.forEach(::remove)
        directory?.let(::remove)
    }

    private fun copy(archive: DriverArchive, entry: String, file: String): Path {
        // Only this user may look into it, and nobody can exchange what is in it: the directory is created as new.
        val home = directory ?: Files.createTempDirectory(scratch.toAbsolutePath(), "driver-native-").also {
            directory = it
        }
        val copy = home / file
        try {
            archive.open(entry).use { from -> copy.outputStream().use { archives.transfer(from, it) } }
        } catch (e: Throwable) {
            copy.deleteIfExists()
            throw e
        }
        copies[file] = copy
        return copy
    }

    private fun remove(path: Path) {
        try {
            path.deleteIfExists()
        } catch (_: IOException) {
            // Windows keeps the file of a library as long as it is loaded, and other systems do not.
            path.toFile().deleteOnExit()
        }
    }

    companion object {
        private const val FOLDER = "native"

        /** This platform, as in `linux-x86_64` and `macos-aarch64`. */
        val PLATFORM: String = platform(System.getProperty("os.name"), System.getProperty("os.arch"))

        /** Where a driver's libraries for this platform belong. */
        val PLACE: String = "$FOLDER/$PLATFORM/"

        /** The JVM's names differ from system to system for the same thing. */
        fun platform(os: String, arch: String): String {
            val system = os.lowercase(Locale.ROOT).filter { it in 'a'..'z' || it in '0'..'9' }.let {
                when {
                    it.startsWith("windows") -> "windows"
                    it.startsWith("mac") -> "macos"
                    else -> it
                }
            }
            return "$system-" + when (val machine = arch.lowercase(Locale.ROOT)) {
                "amd64", "x64" -> "x86_64"
                "arm64" -> "aarch64"
                "i386", "i486", "i586", "i686" -> "x86"
                else -> machine
            }
        }
    }
}
