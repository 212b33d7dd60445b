package dev.arraywright.admin.house

import java.lang.classfile.ClassFile
import java.lang.classfile.ClassModel
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.extension
import kotlin.io.path.walk

/** The modules as the build left them: sources and compiled classes, read from disk and never loaded. */
internal object House {
    val root: Path = Path.of(checkNotNull(System.getProperty("arraywright.root")) { "Maven says where the root is" })

    /** The library modules, each with the packages of the house that it may see beside its own. */
    val arrows: Map<String, Set<String>> = mapOf(
        "spi" to setOf(),
        "hardware" to setOf("spi"),
        "raid" to setOf("spi"),
        "kernel" to setOf("spi", "hardware", "raid"),
        "ktor-admin" to setOf("kernel", "spi", "hardware", "raid"),
    )

    /** The package below `dev.arraywright` that a module owns. */
    fun room(module: String): String = if (module == "ktor-admin") "admin" else module

    fun classes(module: String): Path = root.resolve(module).resolve("target/classes").also {
        check(it.exists()) { "$module is not compiled: run this with -am" }
    }

    fun read(module: String): List<ClassModel> = classes(module).walk()
        .filter { it.extension == "class" && it.fileName.toString() != "module-info.class" }
        .map { ClassFile.of().parse(Files.readAllBytes(it)) }
        .toList()

    /** Main sources as (package, file), of `java` or `kotlin`, whichever directory is asked for. */
    fun sources(module: String, language: String): List<Pair<String, Path>> {
        val directory = root.resolve(module).resolve("src/main").resolve(language)
        if (!directory.exists()) return emptyList()
        return directory.walk().map { directory.relativize(it.parent).joinToString(".") to it }.toList()
    }
}
