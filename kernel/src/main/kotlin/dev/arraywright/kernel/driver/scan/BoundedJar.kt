package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.shown
import java.io.IOException
import java.io.RandomAccessFile
import java.nio.file.Files
import java.nio.file.Path
import java.util.jar.JarFile
import java.util.zip.CRC32
import java.util.zip.ZipEntry
import java.util.zip.ZipException
import java.util.zip.ZipFile

/**
 * A jar of a stranger, read as a plain zip within [limits]: nothing in it is run or verified, and whatever is wrong
 * with it is an [UnfitJar]. For one thread.
 */
internal class BoundedJar private constructor(
    private val zip: JarFile,
    private val limits: JarLimits,
) : AutoCloseable {
    private val entries: Map<String, ZipEntry> = index()
    private val crc = CRC32()
    private var total = 0L

    /** What was read last: the first bytes of it, as many as [load] said. Overwritten by the next. */
    var content = ByteArray(CHUNK)
        private set

    /** Files only, in order. */
    val names: List<String> = entries.keys.sorted()

    /** As the JDK and so the loader sees it; the manifest is held in memory for that. */
    val isMultiRelease: Boolean get() = zip.isMultiRelease

    operator fun contains(name: String): Boolean = name in entries

    /** Reads an entry that is there into [content], and says how long it is. */
    fun load(name: String, limit: Long): Int = inflate(entries.getValue(name), limit, keep = true).toInt()

    /** Reads an entry of at most [limit] bytes; null if there is none. */
    fun read(name: String, limit: Long): ByteArray? =
        if (name in entries) load(name, limit).let(content::copyOf) else null

    /** Reads an entry that is there, to see that it is whole and as large as it says. */
    fun check(name: String) {
        inflate(entries.getValue(name), limits.entrySize, keep = false)
    }

    override fun close() {
        zip.close()
    }

    private fun index(): Map<String, ZipEntry> {
        if (zip.size() > limits.entries) throw UnfitJar("has ${zip.size()} entries; ${limits.entries} are allowed")
        val found = HashMap<String, ZipEntry>(zip.size() * 2)
        var claimed = 0L
        for (entry in zip.entries()) {
            val name = entry.name
            problemWith(name)?.let { throw UnfitJar("has an entry that $it: ${shown(name)}") }
            bound(name, entry.size, entry.compressedSize, limits.entrySize)
            claimed += entry.size
            if (claimed > limits.totalSize) throw tooLarge()
            // A class loader that looks for a file takes a directory's bytes as well, and any manifest.
            if (entry.isDirectory && (entry.size != 0L || entry.compressedSize > EMPTY)) {
                throw UnfitJar("has bytes in a directory: ${shown(name)}")
            }
            if (name != MANIFEST && name.equals(MANIFEST, ignoreCase = true)) {
                throw UnfitJar("has another manifest than $MANIFEST: ${shown(name)}")
            }
            if (!entry.isDirectory && found.put(name, entry) != null) {
                throw UnfitJar("has the entry ${shown(name)} twice")
            }
        }
        return found
    }

    private fun inflate(entry: ZipEntry, limit: Long, keep: Boolean): Long {
        var size = 0L
        crc.reset()
        try {
            zip.getInputStream(entry).use { input ->
                while (true) {
                    val at = if (keep) size.toInt() else 0
                    if (at == content.size) content = content.copyOf(at * 2)
                    val count = input.read(content, at, minOf(content.size - at, CHUNK))
                    if (count < 0) break
                    crc.update(content, at, count)
                    size += count
                    total += count
                    bound(entry.name, size, entry.compressedSize, minOf(limit, limits.entrySize))
                    if (total > limits.totalSize) throw tooLarge()
                }
            }
        } catch (e: IOException) {
            throw UnfitJar("is damaged: ${shown(entry.name)} cannot be read (${e.message})", e)
        }
        if (size != entry.size || crc.value != entry.crc) {
            throw UnfitJar("is damaged: ${shown(entry.name)} is not what its checksum and size say")
        }
        return size
    }

    private fun bound(name: String, size: Long, packed: Long, limit: Long) {
        if (size > limit) throw UnfitJar("has an entry of more than $limit bytes: ${shown(name)}")
        if (size > JarLimits.MIB && size / limits.ratio > packed) {
            throw UnfitJar("has an entry that inflates to more than ${limits.ratio} times its size: ${shown(name)}")
        }
    }

    private fun tooLarge() = UnfitJar("inflates to more than ${limits.totalSize} bytes")

    companion object {
        const val MANIFEST = "META-INF/MANIFEST.MF"
        private const val CHUNK = 1 shl 16

        /** What nothing deflates to; a single byte is longer. */
        private const val EMPTY = 2L

        /** A table of contents is held in memory whole; an entry takes 46 bytes and its name. */
        private const val TABLE_BYTES_AN_ENTRY = 400L

        /**
         * Opens the file, and looks at the names and sizes that its table of contents claims.
         *
         * @throws UnfitJar if it is no zip, or one that asks too much
         */
        fun open(jar: Path, limits: JarLimits): BoundedJar {
            // Also keeps us from a pipe, which would be waited for.
            if (!Files.exists(jar)) throw UnfitJar("is not there")
            if (!Files.isRegularFile(jar)) throw UnfitJar("is not a regular file")
            try {
                RandomAccessFile(jar.toFile(), "r").use { look(it, limits) }
                // No signature is verified: that would be work before any limit.
                val zip = JarFile(jar.toFile(), false, ZipFile.OPEN_READ, Runtime.version())
                return try {
                    BoundedJar(zip, limits).also { ZipLayout.check(jar) }
                } catch (e: Throwable) {
                    zip.close()
                    throw e
                }
            } catch (e: ZipException) {
                val encrypted = "encrypted" in e.message.orEmpty()
                throw UnfitJar(if (encrypted) "is encrypted, at least in part" else "is damaged: ${e.message}", e)
            } catch (e: IOException) {
                throw UnfitJar("cannot be read: ${e.message}", e)
            }
        }

        private fun look(file: RandomAccessFile, limits: JarLimits) {
            val length = file.length()
            if (length == 0L) throw UnfitJar("is empty")
            if (length > limits.jarSize) throw UnfitJar("has $length bytes; ${limits.jarSize} are allowed")
            val table = ZipEnd.tableLength(file) ?: throw UnfitJar(
                if (ZipEnd.startsLikeZip(file)) "is cut short: it has no table of contents at its end" else "is no zip",
            )
            val most = limits.entries * TABLE_BYTES_AN_ENTRY
            // One that is longer than the file is nothing but damage.
            if (table in most + 1..length) throw UnfitJar("has a table of contents of $table bytes; $most are allowed")
        }

        private fun problemWith(name: String): String? = when {
            name.isEmpty() || name.length > LONGEST_NAME -> "has no name, or one of more than $LONGEST_NAME characters"
            name.any(Char::isISOControl) || '\\' in name -> "no file can be named like"
            name.startsWith('/') || DRIVE.containsMatchIn(name) -> "has an absolute path"
            name.removeSuffix("/").split('/').any { it == ".." || it == "." || it.isEmpty() } -> "leads out of the jar"
            else -> null
        }

        private const val LONGEST_NAME = 1024
        private val DRIVE = Regex("^[A-Za-z]:")
    }
}
