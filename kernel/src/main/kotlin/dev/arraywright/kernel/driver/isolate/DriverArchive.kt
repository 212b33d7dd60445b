package dev.arraywright.kernel.driver.isolate

import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.net.URI
import java.net.URL
import java.net.URLConnection
import java.net.URLStreamHandler
import java.security.CodeSource
import java.util.concurrent.ConcurrentHashMap
import java.util.jar.Attributes
import java.util.jar.JarEntry
import java.util.jar.JarFile
import java.util.jar.Manifest
import java.util.zip.ZipFile

/**
 * One jar of a driver, read from a private copy. Multi-release entries are those of this JVM, and signatures are
 * verified as entries are read.
 *
 * @param location names the jar it was copied from, for the code source of its classes
 */
internal class DriverArchive(copy: File, val title: String, val location: URL, private val limits: LoaderLimits) :
    AutoCloseable {
    private val jar = JarFile(copy, true, ZipFile.OPEN_READ, Runtime.version())
    private val sources = ConcurrentHashMap<List<Any>, CodeSource>()

    @Volatile
    private var closed = false

    private val manifest: Manifest?

    init {
        try {
            if (jar.size() > limits.entries) {
                throw IOException("$title has ${jar.size()} entries, and ${limits.entries} are allowed")
            }
            manifest = jar.manifest
        } catch (e: Throwable) {
            jar.close()
            throw e
        }
    }

    operator fun contains(name: String): Boolean = entry(name) != null

    /** What this JVM sees; multi-release entries have their plain names. */
    fun names(): List<String> = jar.versionedStream().map { it.name }.toList()

    fun attribute(name: Attributes.Name): String? = manifest?.mainAttributes?.getValue(name)

    /** The manifest's word on a package, or else on all of the jar. */
    fun attribute(packageName: String, name: Attributes.Name): String? =
        manifest?.getAttributes(packageName.replace('.', '/') + '/')?.getValue(name) ?: attribute(name)

    /** The bytes of a class and where they come from, or null if it is not here. */
    fun readClass(path: String): Pair<ByteArray, CodeSource>? {
        val entry = entry(path) ?: return null
        val bytes = whileOpen { jar.getInputStream(entry).use { it.readNBytes(limits.classBytes + 1) } } ?: return null
        if (bytes.size > limits.classBytes) {
            throw IOException("$path in $title is larger than the ${limits.classBytes} bytes that are allowed")
        }
        // The signers are known only now that the entry was read to its end.
        val signers = entry.codeSigners
        return bytes to sources.computeIfAbsent(signers.orEmpty().toList()) { CodeSource(location, signers) }
    }

    /** A link to [name] that works while the driver is loaded, or null if it is not here; locks and caches nothing. */
    fun resource(name: String): URL? {
        if (entry(name) == null) return null
        return URL.of(URI("driver", null, "/$title!/$name", null), Handler())
    }

    fun open(name: String): InputStream = entry(name)?.let { whileOpen { jar.getInputStream(it) } }
        ?: throw FileNotFoundException("$title has no $name, or is unloaded")

    override fun close() {
        closed = true
        jar.close()
    }

    private fun entry(name: String): JarEntry? = whileOpen { jar.getJarEntry(name) }

    /** Null once it is closed, also if that happens on the way. */
    private inline fun <T> whileOpen(block: () -> T): T? = try {
        if (closed) null else block()
    } catch (e: IllegalStateException) {
        if (closed) null else throw e
    } catch (e: IOException) {
        if (closed) null else throw e
    }

    private inner class Handler : URLStreamHandler() {
        override fun openConnection(url: URL): URLConnection = Connection(url)
    }

    private inner class Connection(url: URL) : URLConnection(url) {
        private val name = url.toURI().path.removePrefix("/$title!/")

        init {
            useCaches = false
        }

        override fun connect() = Unit

        override fun getInputStream(): InputStream = open(name)

        override fun getContentLengthLong(): Long = entry(name)?.size ?: -1
    }
}
