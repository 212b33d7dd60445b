package dev.arraywright.kernel.driver.scan

import java.io.IOException
import java.util.jar.Manifest

/** The class files of a jar as a class loader of this JVM sees them: of a multi-release jar, the newest that fit. */
internal class JarClasses(private val jar: BoundedJar) {
    /** The entry of each class, by its internal name; in the order of the names. */
    private val entries: Map<String, String> = effective()

    /** The binary names of all whose file has [constant] in it. Sees on the way whether every entry is whole. */
    fun naming(constant: ByteSearch): List<String> {
        val effective = entries.values.toHashSet()
        val naming = HashSet<String>()
        for (entry in jar.names) {
            if (entry !in effective) {
                jar.check(entry)
            } else if (constant.isIn(jar.content, jar.load(entry, JarLimits.CLASS_SIZE))) {
                naming += entry
            }
        }
        return entries.filterValues { it in naming }.keys.map { it.replace('/', '.') }
    }

    /** The class with this internal name; null if it is not in the jar. */
    fun find(name: String): ScannedClass? {
        val entry = entries[name] ?: return null
        return ScannedClass.of(name, entry, checkNotNull(jar.read(entry, JarLimits.CLASS_SIZE)))
    }

    private fun effective(): Map<String, String> {
        val found = sortedMapOf<String, String>()
        val classes = jar.names.filter { it.endsWith(SUFFIX) }
        classes.filterNot { it.startsWith("META-INF/") }.associateByTo(found) { it.removeSuffix(SUFFIX) }
        if (isMultiRelease()) {
            classes.mapNotNull { VERSIONED.matchEntire(it) }
                .map { it.groupValues[1].toInt() to it }
                .filter { (feature, _) -> feature <= Runtime.version().feature() }
                .sortedBy { (feature, _) -> feature }
                .forEach { (_, match) -> found[match.groupValues[2]] = match.value }
        }
        found.keys.removeIf { it.substringAfterLast('/') in NO_CLASSES }
        return found
    }

    private fun isMultiRelease(): Boolean {
        val bytes = jar.read(BoundedJar.MANIFEST, JarLimits.TEXT_SIZE) ?: return false
        try {
            Manifest(bytes.inputStream())
        } catch (e: IOException) {
            throw UnfitJar("has a manifest that makes no sense (${e.message})", e)
        } catch (e: IllegalArgumentException) {
            throw UnfitJar("has a manifest that makes no sense (${e.message})", e)
        }
        // Not what the manifest says: the JDK does not understand all that it may say there.
        return jar.isMultiRelease
    }

    private companion object {
        const val SUFFIX = ".class"
        val VERSIONED = Regex("META-INF/versions/(9|[1-9][0-9]{1,3})/(?!META-INF/)(.+)\\.class")
        val NO_CLASSES = setOf("module-info", "package-info")
    }
}
