package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.shown
import java.io.IOException
import java.nio.file.DirectoryIteratorException
import java.nio.file.Files
import java.nio.file.NoSuchFileException
import java.nio.file.NotDirectoryException
import java.nio.file.Path
import java.util.regex.PatternSyntaxException

/**
 * Finds drivers in jars by reading their class files: no class of a jar is loaded and nothing in it is run, and what a
 * jar may cost is limited. A jar with one bad driver is rejected as a whole. Blocks while it reads; thread-safe, and
 * holds nothing open afterwards.
 *
 * @param platform the Arraywright that the drivers are to work with
 */
public class DriverScanner(
    private val limits: JarLimits = JarLimits(),
    private val platform: DriverVersion = DriverVersion.PLATFORM,
) {
    /** Scans one jar. Whatever is wrong with it, its absence included, is told by the result. */
    public fun scan(jar: Path): ScanResult = try {
        val candidates = BoundedJar.open(jar, limits).use { candidates(jar, it) }
        if (candidates.isEmpty()) ScanResult(libraries = listOf(jar)) else ScanResult(candidates)
    } catch (e: UnfitJar) {
        ScanResult(rejected = listOf(RejectedJar(jar, e.why)))
    }

    /**
     * Scans what in [directory] has a name that fits [pattern], a glob; not in directories below.
     *
     * @throws KernelError.NotFound if there is no such directory
     * @throws KernelError.InvalidRequest if it cannot be listed, or the pattern is none
     */
    public fun scanDirectory(directory: Path, pattern: String = "*.jar"): ScanResult {
        val results = list(directory, pattern).map(::scan)
        return ScanResult(
            results.flatMap { it.candidates },
            results.flatMap { it.rejected },
            results.flatMap { it.libraries },
        )
    }

    private fun candidates(path: Path, jar: BoundedJar): List<DriverCandidate> {
        val classes = JarClasses(jar)
        val listed = DriverDescriptor.read(jar)
        val found = if (listed != null) {
            collect(listed) { examine(path, listed(it, classes), classes, it) }
        } else {
            collect(classes.naming(annotation)) { name -> announced(name, classes)?.let { examine(path, it, classes) } }
        }.sortedBy { it.info.name }
        found.zipWithNext { one, other ->
            if (one.info.name != other.info.name) return@zipWithNext
            val types = "${one.info.entryType} and ${other.info.entryType}"
            throw UnfitJar("has two drivers named '${one.info.name}': $types")
        }
        return found
    }

    private fun examine(path: Path, type: ScannedClass, classes: JarClasses, listed: DriverDescriptor? = null) =
        with(DriverClass(type, classes)) {
            val info = info(platform)
            listed?.requireAgreement(info)
            DriverCandidate(path, info, notes)
        }

    private fun listed(descriptor: DriverDescriptor, classes: JarClasses): ScannedClass {
        val type = classes.find(descriptor.entryType.replace('.', '/'))
        val names = "names the entry type ${shown(descriptor.entryType)} in ${DriverDescriptor.ENTRY}"
        if (type == null) throw UnfitJar("$names, and has no such class")
        if (!type.look(AnnotationReader::isAnnotated)) throw UnfitJar("$names, which has no @StorageDriver")
        return type
    }

    /** The class, if it is not just one that has the annotation's name in it for another reason. */
    private fun announced(name: String, classes: JarClasses): ScannedClass? =
        classes.find(name.replace('.', '/'))?.takeIf { it.look(AnnotationReader::isAnnotated) }

    /** Does for each what may fail, so that an operator is told of the first few failures and not of one alone. */
    private fun <T> collect(all: List<T>, step: (T) -> DriverCandidate?): List<DriverCandidate> {
        val found = mutableListOf<DriverCandidate>()
        val told = mutableListOf<String>()
        var failures = 0
        for (item in all) {
            try {
                step(item)?.let(found::add)
            } catch (e: UnfitJar) {
                if (failures++ < MOST_TOLD) told += e.why
            }
            if (found.size > MOST_DRIVERS) throw UnfitJar("has more than $MOST_DRIVERS drivers")
        }
        if (failures > told.size) told += "and ${failures - told.size} more"
        if (failures > 0) throw UnfitJar(told.joinToString("; "))
        return found
    }

    private fun list(directory: Path, pattern: String): List<Path> {
        val what = "cannot scan $directory for drivers"
        try {
            return Files.newDirectoryStream(directory, pattern).use { it.toList() }.sortedBy { it.fileName.toString() }
        } catch (e: PatternSyntaxException) {
            val why = "'$pattern' is no pattern: ${e.description}"
            throw KernelError.InvalidRequest(what, why, "use one such as *.jar", e)
        } catch (e: NoSuchFileException) {
            throw KernelError.NotFound(what, "there is no such directory", "create it, or name another", e)
        } catch (e: NotDirectoryException) {
            throw KernelError.InvalidRequest(what, "it is not a directory", "name the directory that has the jars", e)
        } catch (e: IOException) {
            throw unreadable(what, e)
        } catch (e: DirectoryIteratorException) {
            throw unreadable(what, e.cause ?: e)
        }
    }

    private fun unreadable(what: String, e: Exception) =
        KernelError.InvalidRequest(what, "it cannot be read (${e.message})", "make it readable for this user", e)

    private companion object {
        const val MOST_TOLD = 3
        const val MOST_DRIVERS = 1000
        val annotation = ByteSearch(AnnotationReader.DESCRIPTOR)
    }
}
