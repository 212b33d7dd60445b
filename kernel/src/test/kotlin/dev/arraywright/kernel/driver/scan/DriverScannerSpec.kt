package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DeclaredSetting
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.spi.driver.DriverSetting.Type
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.lang.management.ManagementFactory
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteExisting
import kotlin.io.path.div
import kotlin.io.path.fileSize
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.readSymbolicLink
import kotlin.io.path.writeText

class DriverScannerSpec : StringSpec({
    val directory = tempdir().toPath()
    val scanner = DriverScanner()
    val feature = Runtime.version().feature()

    fun scan(jar: DriverJar) = scanner.scan(jar.writeTo(directory / "scanned.jar"))

    fun described(text: String) =
        driverSource(RAM, annotation = "supportedDevices = {}, requires = {}").replace("A driver for specs", text)

    "a driver is found with all that it announces" {
        val settings = """settings = {
            @DriverSetting(name = "size", description = "How much", type = DriverSetting.Type.SIZE, required = true),
            @DriverSetting(name = "mode", description = "How", defaultValue = "fast", choices = {"fast", "safe"})}"""
        val annotation = """supportedDevices = {"ram", "pci:v00001AF4d*"}, minimumPlatform = "0.0.9", autoLoad = false,
            opensBeside = true, requires = {"fabric ^1.2", "clock"}, $settings"""
        scan(ramJar(annotation, "1.4.2")) shouldBe ScanResult(
            listOf(
                DriverCandidate(
                    directory / "scanned.jar",
                    DriverInfo(
                        "ram",
                        "A driver for specs",
                        DriverVersion.parse("1.4.2"),
                        listOf("ram", "pci:v00001AF4d*"),
                        DriverVersion.parse("0.0.9"),
                        false,
                        RAM,
                        listOf("fabric ^1.2", "clock").map(DriverRequirement::parse),
                        listOf(
                            DeclaredSetting("size", "How much", Type.SIZE, required = true),
                            DeclaredSetting("mode", "How", defaultValue = "fast", choices = listOf("fast", "safe")),
                        ),
                        opensBeside = true,
                    ),
                ),
            ),
        )
    }

    "stored entries, several drivers, a nested class: in the order of the names" {
        val alpha = driverSource("org.example.Alpha", declaration = "public static class Alpha implements Driver")
        val nested = alpha.replace("@StorageDriver", "class C {\n@StorageDriver") + "\n}"
        val jar = DriverJar().stored()
            .source("org.example.A", driverSource("org.example.A", name = "zeta"))
            .source("org.example.B", driverSource("org.example.B", name = "beta"))
            .source("org.example.C", nested)
        scan(jar) shouldName listOf("alpha", "beta", "zeta")
        scan(jar).infos().first().entryType shouldBe "org.example.C\$Alpha"
    }

    "a jar without a driver is a library, even if it names the annotation" {
        val reader = """package org.example; public class Reader {
            public dev.arraywright.spi.driver.StorageDriver of(Class<?> type) { return null; } }"""
        val jar = DriverJar().source("org.example.Reader", reader)
        scan(jar) shouldBe ScanResult(libraries = listOf(directory / "scanned.jar"))
    }

    "no code of the jar runs, and nothing stays open" {
        val initialiser = """static { System.setProperty("arraywright.spec.ran", "yes"); }"""
        val file = DriverJar().source(RAM, driverSource(RAM, body = initialiser)).writeTo(directory / "static.jar")
        scanner.scan(file) shouldName listOf("ram")
        System.getProperty("arraywright.spec.ran") shouldBe null
        val open = Path.of("/proc/self/fd").listDirectoryEntries()
            .mapNotNull { runCatching { it.readSymbolicLink().toString() }.getOrNull() }
        open.filter { "static.jar" in it } shouldBe emptyList()
        file.deleteExisting()
    }

    "Driver may be implemented by a superclass or an interface in the jar" {
        val base = driverSource("org.example.Base", declaration = "public abstract class Base implements Io")
            .lineSequence().filterNot { "@StorageDriver" in it }.joinToString("\n")
        val jar = DriverJar().source("org.example.Base", base)
            .source("org.example.Io", "package org.example; interface Io extends dev.arraywright.spi.driver.Driver {}")
            .source("org.example.Middle", "package org.example; public class Middle extends Base {}")
            .source(RAM, driverSource(RAM, declaration = "public class Ram extends Middle"))
        scan(jar).candidates.single().notes shouldBe emptyList()
    }

    "a superclass elsewhere is left to loading, and said so" {
        val base = "package lib; public abstract class Base implements dev.arraywright.spi.driver.Driver {}"
        val library = DriverJar().source("lib.Base", base)
        val jar = DriverJar().compileWith(library.writeTo(directory / "lib.jar"))
            .source(RAM, driverSource(RAM, declaration = "public class Ram extends lib.Base"))
            .library("base.jar", library)
        scan(jar).candidates.single().notes.single() shouldContain "lib.Base is not in the jar"
    }

    "of a multi-release jar the newest classes that fit this JVM count" {
        fun of(text: String) = DriverJar().source(RAM, described(text))
        val jar = of("base").multiRelease(9, of("nine")).multiRelease(feature, of("mine"))
            .multiRelease(feature + 1, of("next"))
        scan(jar).infos().map { it.description } shouldContainExactly listOf("mine")
        scan(jar.manifest("Multi-Release", "false")).infos().map { it.description } shouldContainExactly listOf("base")
    }

    "a directory is scanned in order, and a bad jar stops none of the others" {
        val drivers = (directory / "drivers").createDirectories()
        val ram = ramJar().writeTo(drivers / "b.jar")
        val newer = ramJar(version = "1.1.0").writeTo(drivers / "d.jar")
        val bad = (drivers / "c.jar").apply { writeText("no zip") }
        val folder = (drivers / "a.jar").createDirectories()
        val plain = DriverJar().padding(1).writeTo(drivers / "e.jar")
        ramJar().writeTo(drivers / "z.zip")
        ramJar().writeTo((drivers / "lib").createDirectories() / "inner.jar")
        val found = scanner.scanDirectory(drivers)
        found.candidates.map { it.jar to "${it.info}" } shouldBe listOf(ram to "ram 1.0.0", newer to "ram 1.1.0")
        found.rejected shouldBe listOf(RejectedJar(folder, "is not a regular file"), RejectedJar(bad, "is no zip"))
        found.libraries shouldBe listOf(plain)
        scanner.scanDirectory(drivers, "*.zip").candidates.map { it.jar } shouldBe listOf(drivers / "z.zip")
    }

    "a directory that cannot be scanned is an error that says why" {
        shouldThrow<KernelError.NotFound> { scanner.scanDirectory(directory / "none") }.what shouldContain "none"
        val file = ramJar().writeTo(directory / "file.jar")
        shouldThrow<KernelError.InvalidRequest> { scanner.scanDirectory(file) }.why shouldBe "it is not a directory"
        shouldThrow<KernelError.InvalidRequest> { scanner.scanDirectory(directory, "[") }.why shouldContain "no pattern"
    }

    "a jar of 26,000 classes is scanned" {
        val jar = ramJar().padding(26_000, size = 2_600).writeTo(directory / "large.jar")
        val threads = ManagementFactory.getThreadMXBean()
        val took = List(3) {
            val start = System.nanoTime() to threads.currentThreadCpuTime
            scanner.scan(jar) shouldName listOf("ram")
            (System.nanoTime() - start.first) / 1_000_000 to (threads.currentThreadCpuTime - start.second) / 1_000_000
        }
        println("scan of 26,000 classes, ${jar.fileSize() shr 20} MiB, ms (elapsed, on the processor): $took")
        jar.deleteExisting()
    }
})
