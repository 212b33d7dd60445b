package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.spi.driver.StorageDriver
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldEndWith
import io.kotest.matchers.string.shouldStartWith
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.deleteExisting
import kotlin.io.path.div
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.toPath
import kotlin.io.path.writeText

/** Drivers answer in their toString, with what their expression gives. */
class DriverLoaderSpec : StringSpec({
    val folder = tempdir().toPath()
    val scratch = tempdir().toPath()
    val loader = DriverLoader(limits = LoaderLimits(scratch = scratch))

    fun telling(expression: String, type: String = "org.example.Teller") =
        driverSource(type, body = "@Override public String toString() { return String.valueOf($expression); }")

    fun library(version: String) = DriverJar().source(
        "org.library.Version",
        "package org.library; public class Version { public static String tell() { return \"$version\"; } }",
    )

    fun teller(name: String, expression: String, jar: DriverJar.() -> Unit = {}): Path =
        DriverJar().source("org.example.Teller", telling(expression)).apply(jar).writeTo(folder / "$name.jar")

    suspend fun tells(jar: Path, by: DriverLoader = loader, expect: (LoadedDriver, String) -> Unit) {
        by.load(jar, "org.example.Teller").use { expect(it, it.driver.toString()) }
    }

    fun sees(type: String) =
        "java.util.Optional.of(\"$type\").map(t -> { try { return Class.forName(t).getClassLoader() == getClass()" +
            ".getClassLoader() ? \"own\" : \"given\"; } catch (ClassNotFoundException e) { return e.getMessage(); } }).get()"

    "a driver is loaded by a loader of its own, through the SPI of the kernel" {
        loader.load(teller("plain", "\"here\""), "org.example.Teller").use { loaded ->
            loaded.driver.javaClass.getAnnotation(StorageDriver::class.java).name shouldBe "teller"
            loaded.driver.javaClass.classLoader shouldNotBe javaClass.classLoader
            loaded.driver.javaClass.classLoader.name shouldStartWith "plain#"
            loaded.classes shouldBe 1
            loaded.notes.shouldBeEmpty()
        }
    }

    "a driver sees the JDK and the SPI, and nothing else of the application" {
        for (type in listOf(
            "java.sql.Driver",
            "javax.management.MBeanServer",
            "dev.arraywright.spi.device.BlockDevice",
        )) {
            tells(teller("sees", sees(type))) { _, told -> told shouldBe "given" }
        }
        for (type in listOf(
            "kotlin.Unit",
            "dev.arraywright.kernel.KernelError",
            "org.koin.core.Koin",
            "com.sun.jna.Native",
        )) {
            tells(teller("sees", sees(type))) { _, told -> told shouldStartWith "$type is neither in the driver nor" }
        }
    }

    "what is shared is seen, by package or with all below it, even if the driver brings a copy" {
        val below = DriverLoader(SharedPackages("kotlin.**"))
        tells(teller("shared", sees("kotlin.collections.CollectionsKt")), below) { _, told -> told shouldBe "given" }
        val exact = DriverLoader(SharedPackages("kotlin"))
        tells(teller("shared", sees("kotlin.Unit")), exact) { _, told -> told shouldBe "given" }
        tells(teller("shared", sees("kotlin.collections.CollectionsKt")), exact) { _, told ->
            told shouldContain "neither"
        }
        val copy = DriverJar().source("kotlin.Unit", "package kotlin; public class Unit {}")
        tells(teller("copy", sees("kotlin.Unit")) { library("copy.jar", copy) }, exact) { loaded, told ->
            told shouldBe "given"
            loaded.notes shouldContainExactly
                listOf("copy.jar!/lib/copy.jar brings classes of kotlin, which are shared: the application's are used")
        }
        tells(teller("copy", sees("kotlin.Unit")) { library("copy.jar", copy) }) { _, told -> told shouldBe "own" }
    }

    "another version of the SPI in the jar is not used, and is noted" {
        val other = "dev.arraywright.spi.device.BlockDevice"
        val spi = DriverJar().source(other, "package dev.arraywright.spi.device; public interface BlockDevice {}")
        tells(teller("spi", sees(other)) { library("spi.jar", spi) }) { loaded, told ->
            told shouldBe "given"
            loaded.notes shouldContainExactly listOf(
                "spi.jar!/lib/spi.jar brings a class of dev.arraywright.spi: they are not used, the kernel's are",
            )
        }
    }

    "a library within the jar comes before those beside it, and of those the driver's own first" {
        val directory = (folder / "beside").createDirectories()
        val path = library("").writeTo(folder / "compile.jar")

        fun jar(nested: Boolean) = DriverJar().compileWith(path)
            .source("org.example.Teller", telling("org.library.Version.tell()"))
            .apply { if (nested) library("v.jar", library("nested")) }
            .writeTo(directory / "tell.jar")
        library("of all").writeTo((directory / "lib").createDirectories() / "v.jar")
        tells(jar(nested = false)) { _, told -> told shouldBe "of all" }
        library("own").writeTo((directory / "tell" / "lib").createDirectories() / "v.jar")
        tells(jar(nested = false)) { _, told -> told shouldBe "own" }
        tells(jar(nested = true)) { _, told -> told shouldBe "nested" }
    }

    "the jar and its libraries may be deleted or overwritten while the driver goes on loading classes from them" {
        val path = library("first").writeTo(folder / "compile.jar")
        val expression = "org.library.Version.tell() + new String(read())"
        val body = """
            byte[] read() {
              try (var in = getClass().getResourceAsStream("/data.txt")) { return in.readAllBytes(); }
              catch (java.io.IOException e) { throw new java.io.UncheckedIOException(e); }
            }
            @Override public String toString() { return $expression; }
        """.trimIndent()
        val jar = DriverJar().compileWith(
            path,
        ).source("org.example.Teller", driverSource("org.example.Teller", body = body))
            .resource("data.txt", " text").library("v.jar", library("first")).writeTo(folder / "gone.jar")
        loader.load(jar, "org.example.Teller").use { loaded ->
            scratch.listDirectoryEntries().shouldBeEmpty()
            jar.writeText("no jar at all")
            jar.deleteExisting()
            loaded.driver.toString() shouldBe "first text"
        }
    }

    "resources, services and their links work, the driver's own before the JDK's, and keep nothing" {
        val name = "odd name+%41#?.txt"
        val plain = """
            () -> {
              var urls = java.util.Collections.list(getClass().getClassLoader().getResources("$name"));
              var told = new StringBuilder();
              for (var url : urls) {
                try (var in = new java.net.URI(url.toString()).equals(url.toURI()) ? url.openStream() : null) {
                  told.append(new String(in.readAllBytes())).append(url.openConnection().getUseCaches());
                }
              }
              for (var r : java.util.ServiceLoader.load(Runnable.class, getClass().getClassLoader())) told.append(r);
              return told.toString() + new java.net.URL(urls.get(0), "/resources.jar!/other.txt").openConnection().getContentLength();
            }
        """.trimIndent()
        val body = """
            @Override public String toString() {
              java.util.concurrent.Callable<String> tell = $plain;
              try { return tell.call(); } catch (Exception e) { throw new RuntimeException(e); }
            }
            public static class Task implements Runnable {
              public void run() {}
              @Override public String toString() { return " task "; }
            }
        """.trimIndent()
        val jar = DriverJar().source("org.example.Teller", driverSource("org.example.Teller", body = body))
            .resource(name, "one ").resource("other.txt", "12345")
            .resource("META-INF/services/java.lang.Runnable", "org.example.Teller\$Task")
            .library("more.jar", DriverJar().resource(name, "two "))
            .writeTo(folder / "resources.jar")
        lateinit var late: ClassLoader
        tells(jar) { loaded, told ->
            told shouldBe "one falsetwo false task 5"
            late = loaded.driver.javaClass.classLoader
            late.getResource("dev/arraywright/spi/driver/Driver.class") shouldNotBe null
            late.getResource("dev/arraywright/kernel/KernelError.class") shouldBe null
            late.getResource("java/lang/String.class") shouldNotBe null
        }
        late.getResource(name) shouldBe null
        shouldThrow<ClassNotFoundException> { late.loadClass("org.example.Other") }.message shouldEndWith "is unloaded"
    }

    "the manifest's words on packages and releases are followed, and the code source names the jar" {
        val expression = "org.library.Version.tell() + \" \" + getClass().getPackage().getImplementationVersion()"
        val jar = library("old").source("org.example.Teller", telling(expression))
            .multiRelease(21, library("new")).manifest("Implementation-Version", "3.1").writeTo(folder / "words.jar")
        tells(jar) { loaded, told ->
            told shouldBe "new 3.1"
            loaded.driver.javaClass.protectionDomain.codeSource.location.toURI().toPath() shouldBe jar
        }
    }

    "a sealed package is of one jar" {
        val rest = DriverJar().source("org.example.Rest", "package org.example; public class Rest {}")
        val expression = "new Object() { String tell() { " +
            "try { return Class.forName(\"org.example.Rest\").getName(); } " +
            "catch (SecurityException | ClassNotFoundException e) { return e.getMessage(); } } }.tell()"
        tells(teller("open", expression) { library("rest.jar", rest) }) { _, told ->
            told shouldBe "org.example.Rest"
        }
        tells(teller("sealed", expression) { manifest("Sealed", "true").library("rest.jar", rest) }) { _, told ->
            told shouldStartWith "package org.example is sealed"
            told shouldEndWith "rest.jar has classes of it, too"
        }
    }
})
