package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.driver.isolate.leak.WatchedLoader
import java.io.IOException
import java.net.URL
import java.security.CodeSource
import java.util.Collections
import java.util.Enumeration
import java.util.jar.Attributes.Name

/**
 * The loader of one driver. Its packages are its own, except those that the [gate] decides about; so whatever else the
 * application has on its class path, a driver neither sees it nor is disturbed by it.
 *
 * Resources are the driver's own first, then the gate's.
 */
internal class DriverClassLoader(
    name: String,
    private val gate: ApplicationGate,
    private val archives: DriverArchives,
    private val natives: NativeCopies,
) : WatchedLoader(name, gate), AutoCloseable {
    @Volatile
    private var closed = false

    /** Own classes are looked for here only: the JDK's loaders keep a lock for every name that they were asked for. */
    override fun loadClass(name: String, resolve: Boolean): Class<*> = synchronized(getClassLoadingLock(name)) {
        val type = findLoadedClass(name)
            ?: if (gate.decides(name.substringBeforeLast('.', ""))) gate.loadClass(name) else findClass(name)
        if (resolve) resolveClass(type)
        type
    }

    override fun findClass(name: String): Class<*> {
        // Only names with dots are names of classes: "a/b" would find the entry of another.
        val path = if ('/' in name) null else name.replace('.', '/') + ".class"
        try {
            for (archive in archives.all) {
                val (bytes, source) = path?.let(archive::readClass) ?: continue
                return define(name, bytes, source, archive)
            }
        } catch (e: IOException) {
            throw ClassNotFoundException("$name: ${e.message}", e)
        }
        if (closed) throw ClassNotFoundException("$name: the driver ${getName()} is unloaded")
        throw ClassNotFoundException(
            "$name is neither in the driver nor in its lib/; of the application it sees only ${gate.shared}",
        )
    }

    /** Null for what the JVM is to look for. */
    override fun findLibrary(libname: String): String? = natives.find(libname)?.toString()

    override fun findResource(name: String): URL? = archives.all.firstNotNullOfOrNull { it.resource(name) }

    override fun findResources(name: String): Enumeration<URL> =
        Collections.enumeration(archives.all.mapNotNull { it.resource(name) })

    override fun getResource(name: String): URL? = findResource(name) ?: gate.getResource(name)

    override fun getResources(name: String): Enumeration<URL> =
        Collections.enumeration(findResources(name).toList() + gate.getResources(name).toList())

    /** Classes, resources and native libraries that were not loaded yet are not found any more. */
    override fun close() {
        closed = true
        natives.close()
        archives.close()
    }

    private fun define(name: String, bytes: ByteArray, source: CodeSource, archive: DriverArchive): Class<*> {
        val packageName = name.substringBeforeLast('.', "")
        if (packageName.isNotEmpty()) definePackage(packageName, archive)
        return defineClass(name, bytes, 0, bytes.size, source).also { defined(it, bytes.size) }
    }

    private fun definePackage(packageName: String, archive: DriverArchive) {
        val sealed = archive.attribute(packageName, Name.SEALED).equals("true", ignoreCase = true)
        val known = getDefinedPackage(packageName)
        if (known != null) {
            val split = if (known.isSealed) !known.isSealed(archive.location) else sealed
            if (split)
                throw SecurityException(
                    "package $packageName is sealed, and ${archive.title} has classes of it, too",
                )
            return
        }
        val word = { key: Name -> archive.attribute(packageName, key) }
        try {
            definePackage(
                packageName,
                word(Name.SPECIFICATION_TITLE),
                word(Name.SPECIFICATION_VERSION),
                word(Name.SPECIFICATION_VENDOR),
                word(Name.IMPLEMENTATION_TITLE),
                word(Name.IMPLEMENTATION_VERSION),
                word(Name.IMPLEMENTATION_VENDOR),
                archive.location.takeIf { sealed },
            )
        } catch (_: IllegalArgumentException) {
            // Another thread was faster; it has checked the same.
            definePackage(packageName, archive)
        }
    }

    private companion object {
        init {
            registerAsParallelCapable()
        }
    }
}
