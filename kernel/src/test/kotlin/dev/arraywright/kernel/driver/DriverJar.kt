package dev.arraywright.kernel.driver

import dev.arraywright.spi.driver.StorageDriver
import java.io.ByteArrayOutputStream
import java.io.StringWriter
import java.net.URI
import java.nio.file.Path
import javax.tools.FileObject
import javax.tools.ForwardingJavaFileManager
import javax.tools.JavaFileManager
import javax.tools.JavaFileObject
import javax.tools.SimpleJavaFileObject
import javax.tools.StandardLocation
import javax.tools.ToolProvider
import kotlin.io.path.toPath
import kotlin.io.path.writeBytes

/**
 * A jar compiled on the fly from Java sources, against `spi` alone as an author would. What is added later comes later
 * in the jar.
 *
 * ```
 * val jar = DriverJar().source("org.example.Ram", driverSource("org.example.Ram")).writeTo(directory / "ram.jar")
 * ```
 */
internal class DriverJar {
    private class Entry(val name: String, val content: ByteArray, val flags: Int, val claimedSize: Int?)

    private val sources = linkedMapOf<String, String>()
    private val entries = mutableListOf<Entry>()
    private val manifest = linkedMapOf("Manifest-Version" to "1.0")
    private val beside = mutableListOf<Path>()
    private val versions = mutableMapOf<String, Int>()
    private var deflate = true
    private var compiled: Map<String, ByteArray>? = null

    /** The source of the top-level type with this full name; several are compiled together. */
    fun source(type: String, text: String) = apply {
        sources[type] = text
        compiled = null
    }

    /** Any entry, under any name, any number of times. */
    fun entry(name: String, content: ByteArray, flags: Int = 0, claimedSize: Int? = null) = apply {
        entries += Entry(name, content, flags, claimedSize)
    }

    fun resource(name: String, text: String) = entry(name, text.encodeToByteArray())

    /** `META-INF/arraywright/driver.json`. */
    fun descriptor(json: String) = resource("META-INF/arraywright/driver.json", json)

    fun manifest(key: String, value: String) = apply { manifest[key] = value }

    /** A library inside, as `lib/name`. */
    fun library(name: String, jar: DriverJar) = entry("lib/$name", jar.bytes())

    /** The classes of [jar] for one Java version and later. */
    fun multiRelease(feature: Int, jar: DriverJar) = apply {
        manifest("Multi-Release", "true")
        jar.classes().forEach { (name, content) -> entry("META-INF/versions/$feature/$name", content) }
    }

    /** What the sources may use besides `spi`: jars or directories of classes. */
    fun compileWith(vararg classPath: Path) = apply { beside += classPath }

    /** Has the class with this binary name claim to be of another class-file version. */
    fun classVersion(type: String, major: Int) = apply { versions[entryOf(type)] = major }

    /** Entries are not deflated. */
    fun stored() = apply { deflate = false }

    /** Adds generated classes that nobody asked for, each of [size] bytes or somewhat more. */
    fun padding(classes: Int, size: Int = 2_000) = apply {
        repeat(classes) { entry("padding/p${it % 100}/C$it.class", paddingClass("padding.p${it % 100}.C$it", size)) }
    }

    /** The compiled classes, by the names of their entries. */
    fun classes(): Map<String, ByteArray> {
        val plain = compiled ?: (if (sources.isEmpty()) emptyMap() else compile(sources, beside)).also { compiled = it }
        return plain.mapValues { (name, content) ->
            val major = versions[name] ?: return@mapValues content
            content.copyOf().also {
                it[6] = (major shr 8).toByte()
                it[7] = major.toByte()
            }
        }
    }

    fun bytes(): ByteArray {
        val zip = ZipBytes()
        val lines = manifest.entries.joinToString("") { (key, value) -> "$key: $value\r\n" } + "\r\n"
        zip.add("META-INF/MANIFEST.MF", lines.encodeToByteArray(), deflate)
        classes().forEach { (name, content) -> zip.add(name, content, deflate) }
        entries.forEach { zip.add(it.name, it.content, deflate, it.flags, it.claimedSize) }
        return zip.bytes()
    }

    fun writeTo(file: Path): Path = file.apply { writeBytes(bytes()) }

    companion object {
        /** Compiles types by their full names; the result is by the names that the entries of a jar have. */
        fun compile(sources: Map<String, String>, beside: List<Path> = emptyList()): Map<String, ByteArray> {
            val compiler = ToolProvider.getSystemJavaCompiler()
            val written = sortedMapOf<String, ByteArrayOutputStream>()
            val complaints = StringWriter()
            val spi = checkNotNull(StorageDriver::class.java.protectionDomain.codeSource).location.toURI().toPath()
            compiler.getStandardFileManager(null, null, null).use { files ->
                files.setLocationFromPaths(StandardLocation.CLASS_PATH, listOf(spi) + beside)
                val memory = Memory(files, written)
                val options = listOf("-proc:none", "-nowarn", "-g:source,lines")
                val units = sources.map { (type, text) -> Source(type, text) }
                check(compiler.getTask(complaints, memory, null, options, null, units).call()) { "$complaints" }
            }
            return written.mapValues { it.value.toByteArray() }
        }

        /** A class with nothing of interest in it, of [size] bytes or somewhat more that deflate as code does. */
        fun paddingClass(type: String, size: Int = 2_000): ByteArray = PaddingClass.of(type, size)

        /** `org.example.Ram$Disk` is at `org/example/Ram$Disk.class`. */
        fun entryOf(type: String): String = type.replace('.', '/') + ".class"
    }

    private class Source(type: String, private val text: String) :
        SimpleJavaFileObject(URI("memory:///${type.replace('.', '/')}.java"), JavaFileObject.Kind.SOURCE) {
        override fun getCharContent(ignoreEncodingErrors: Boolean): CharSequence = text
    }

    private class Memory(files: JavaFileManager, private val written: MutableMap<String, ByteArrayOutputStream>) :
        ForwardingJavaFileManager<JavaFileManager>(files) {
        override fun getJavaFileForOutput(
            location: JavaFileManager.Location,
            className: String,
            kind: JavaFileObject.Kind,
            sibling: FileObject?,
        ): JavaFileObject {
            val bytes = ByteArrayOutputStream()
            written[entryOf(className)] = bytes
            return object : SimpleJavaFileObject(URI("memory:///${className.replace('.', '/')}.class"), kind) {
                override fun openOutputStream() = bytes
            }
        }
    }
}

/**
 * A driver's source: nothing but what is given, and a device that cannot be opened.
 *
 * @param annotation the elements of its `@StorageDriver` besides name, description and version
 * @param body more members of the class; may override the lifecycle's steps
 */
internal fun driverSource(
    type: String,
    name: String = type.substringAfterLast('.').lowercase(),
    version: String = "1.0.0",
    annotation: String = """supportedDevices = "$name"""",
    declaration: String = "public class ${type.substringAfterLast('.')} implements Driver",
    body: String = "",
): String = """
    package ${type.substringBeforeLast('.')};
    import dev.arraywright.spi.device.*;
    import dev.arraywright.spi.driver.*;
    import java.util.*;
    @StorageDriver(name = "$name", description = "A driver for specs", version = "$version", $annotation)
    $declaration {
      ${if ("void initialize(" in body) "" else INITIALIZES}
      ${if ("BlockDevice open(" in body) "" else OPENS_NOTHING}
      ${if ("void close(" in body) "" else "@Override public void close() {}"}
      $body
    }
    """.trimIndent()

private const val INITIALIZES =
    "@Override public void initialize(DriverContext context) throws DriverException {}"

private const val OPENS_NOTHING =
    """@Override public BlockDevice open(StorageAddress address, OpenOptions options) throws DriverException {
        throw new DriverException(DriverException.Reason.NOT_FOUND, "nothing is at " + address, "");
      }"""
