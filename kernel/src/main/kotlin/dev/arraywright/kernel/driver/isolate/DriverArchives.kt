package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.driver.scan.UnfitJar
import dev.arraywright.kernel.driver.scan.ZipLayout
import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.URI
import java.net.URL
import java.nio.file.Files
import java.nio.file.Path
import java.util.jar.Attributes
import kotlin.io.path.deleteIfExists
import kotlin.io.path.inputStream
import kotlin.io.path.isDirectory
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.outputStream

/**
 * A driver's jar and its private dependencies, in the order in which classes are looked for:
 *
 * 1. the jar itself,
 * 2. the jars within it under `lib/`,
 * 3. the jars in the folder `lib` of a folder beside it that has its name (`ram/lib` for `ram.jar`),
 * 4. the jars in the folder `lib` beside it, which all drivers of the directory have, each for itself;
 *
 * within a folder by name. The manifest's `Class-Path` is not followed.
 *
 * Each is copied once, and the copy's name is removed as soon as it is open: the originals may be replaced or deleted
 * at any time, and nothing is left behind even if the process is killed.
 */
internal class DriverArchives private constructor(
    private val jar: Path,
    private val limits: LoaderLimits,
) : AutoCloseable {
    private val opened = mutableListOf<DriverArchive>()
    private var bytesLeft = limits.bytes

    val all: List<DriverArchive> get() = opened

    /** What an author should know about: copies of shared packages, a class path that is not followed. */
    fun notes(shared: SharedPackages): List<String> = all.flatMap { archive ->
        val covered = archive.names().filter { it.endsWith(".class") }
            .groupingBy { it.substringBeforeLast('/', "").replace('/', '.') }.eachCount()
            .filterKeys(shared::covers)
        val (spi, others) = covered.entries.partition { SharedPackages().covers(it.key) }
        listOfNotNull(
            spi.takeIf {
                it.isNotEmpty()
            }?.let { "${archive.title} brings ${count(it)}: they are not used, the kernel's are" },
            others.joinToString { it.key }.takeIf { it.isNotEmpty() }
                ?.let { "${archive.title} brings classes of $it, which are shared: the application's are used" },
            archive.attribute(Attributes.Name.CLASS_PATH)
                ?.let { "the Class-Path in the manifest of ${archive.title} is not followed: put libraries into lib/" },
        )
    }

    private fun count(packages: List<Map.Entry<String, Int>>) =
        packages.sumOf { it.value }.let { if (it == 1) "a class" else "$it classes" } + " of ${SharedPackages.SPI}"

    override fun close() {
        opened.forEach(DriverArchive::close)
    }

    private fun open() {
        val before = stamp()
        val main = jar.inputStream().use { add(it, jar.name, jar.toUri().toURL()) }
        if (stamp() != before) throw IOException("${jar.name} was changed while it was read")
        main.names().filter { NESTED.matches(it) }.sorted().forEach { name ->
            main.open(name).use { add(it, "${jar.name}!/$name", URI("jar:${jar.toUri()}!/$name").toURL()) }
        }
        for (folder in listOf(jar.resolveSibling(jar.nameWithoutExtension).resolve(LIB), jar.resolveSibling(LIB))) {
            if (!folder.isDirectory()) continue
            folder.listDirectoryEntries("*.jar").sorted().forEach { library ->
                library.inputStream().use { add(it, library.name, library.toUri().toURL()) }
            }
        }
    }

    private fun add(from: InputStream, title: String, location: URL): DriverArchive {
        if (opened.size > limits.libraries) throw IOException("${jar.name} has more than ${limits.libraries} libraries")
        // Only this user may look into the copy, and nobody can exchange it: the file is created as new.
        val copy = Files.createTempFile(limits.scratch, "driver-", ".jar")
        try {
            copy.outputStream().use { transfer(from, it) }
            requireOneContent(copy, title)
            return DriverArchive(copy.toFile(), title, location, limits).also(opened::add)
        } finally {
            copy.deleteIfExists()
        }
    }

    /** What the scanner looked at before may be another file by now, and it did not look into libraries. */
    private fun requireOneContent(copy: Path, title: String) = try {
        ZipLayout.check(copy)
    } catch (e: UnfitJar) {
        throw IOException("$title ${e.why}", e)
    }

    /** Counts what was inflated, so that a jar within a jar is no bomb either, nor a native library. */
    fun transfer(from: InputStream, to: OutputStream) {
        val buffer = ByteArray(1 shl 16)
        while (true) {
            val read = from.read(buffer)
            if (read < 0) return
            bytesLeft -= read
            if (bytesLeft < 0) {
                throw IOException(
                    "${jar.name} and its libraries are larger than the ${limits.bytes} bytes that are allowed",
                )
            }
            to.write(buffer, 0, read)
        }
    }

    private fun stamp() = Files.size(jar) to Files.getLastModifiedTime(jar)

    companion object {
        private const val LIB = "lib"
        private val NESTED = Regex("lib/[^/]+\\.jar")

        /** @throws IOException if one cannot be read or is beyond the [limits]; none is left open then */
        fun open(jar: Path, limits: LoaderLimits): DriverArchives {
            val archives = DriverArchives(jar.toAbsolutePath(), limits)
            try {
                archives.open()
            } catch (e: Throwable) {
                archives.close()
                throw e
            }
            return archives
        }
    }
}
