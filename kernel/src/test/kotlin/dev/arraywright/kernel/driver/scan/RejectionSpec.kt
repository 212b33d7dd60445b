package dev.arraywright.kernel.driver.scan

import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.ZipBytes
import dev.arraywright.kernel.driver.driverSource
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.io.path.div
import kotlin.io.path.writeBytes

class RejectionSpec : StringSpec({
    val directory = tempdir().toPath()
    val file = directory / "scanned.jar"
    val scanner = DriverScanner()
    val java = Runtime.version().feature()

    fun why(jar: DriverJar) = scanner.scan(jar.writeTo(file)).whyRejected()

    fun why(bytes: ByteArray) = scanner.scan(file.apply { writeBytes(bytes) }).whyRejected()

    "what is no whole zip" {
        val jar = ramJar().bytes()
        scanner.scan(directory / "none.jar").whyRejected() shouldBe "is not there"
        scanner.scan(directory).whyRejected() shouldBe "is not a regular file"
        why(ByteArray(0)) shouldBe "is empty"
        why("#!/bin/sh\n".encodeToByteArray()) shouldBe "is no zip"
        why(jar.copyOf(jar.size / 2)) shouldContain "is cut short"
        why(jar.copyOfRange(100, jar.size)) shouldContain "is damaged"
    }

    "an entry that was changed after its checksum was written" {
        val jar = ramJar().stored().resource("words", "the old words").bytes()
        val at = String(jar, Charsets.ISO_8859_1).indexOf("the old words")
        jar[at] = 'T'.code.toByte()
        why(jar) shouldBe "is damaged: 'words' is not what its checksum and size say"
    }

    "bytes where a class loader finds them and nobody else looks" {
        val hidden = ramJar().classes().values.first()
        why(ramJar().entry("org/example/Other.class/", hidden)) shouldBe
            "has bytes in a directory: 'org/example/Other.class/'"
        why(
            ramJar().entry("org/example/Other.class/", hidden, claimedSize = 0),
        ) shouldContain "has bytes in a directory"
        scanner.scan(ramJar().entry("org/example/", ByteArray(0)).writeTo(file)) shouldName listOf("ram")
        // The JDK takes it for the manifest, the last of them if there are several.
        for (name in listOf("META-INF/manifest.mf", "meta-inf/MANIFEST.MF")) {
            why(ramJar().resource(name, "Manifest-Version: 1.0\nMulti-Release: true\n")) shouldBe
                "has another manifest than META-INF/MANIFEST.MF: '$name'"
        }
    }

    "encrypted entries" {
        why(ramJar().entry("secret", ByteArray(20), ZipBytes.ENCRYPTED)) shouldBe "is encrypted, at least in part"
    }

    "names that lead out of the jar, or are no names" {
        val names = mapOf(
            "../evil.sh" to "leads out",
            "a/../../evil" to "leads out",
            "a/./b" to "leads out",
            "a//b" to "leads out",
            "/etc/passwd" to "absolute path",
            "C:/evil" to "absolute path",
            "a\\..\\b" to "no file can be named",
            "a\u001b[2J" to "no file can be named",
            "" to "has no name",
            "a".repeat(2000) to "has no name",
        )
        for ((name, reason) in names) withClue(name) { why(ramJar().resource(name, "x")) shouldContain reason }
    }

    "an entry that is there twice" {
        why(ramJar().resource("a", "1").resource("a", "2")) shouldBe "has the entry 'a' twice"
        why(ramJar().entry("org/example/Ram.class", ByteArray(3))) shouldContain "twice"
    }

    "a driver or its superclass compiled for a newer Java; other classes may be" {
        val base = "package org.example; public abstract class Base implements dev.arraywright.spi.driver.Driver {}"

        fun jar() = DriverJar().source("org.example.Base", base)
            .source("org.example.Other", "package org.example; class Other {}")
            .source(RAM, driverSource(RAM, declaration = "public class Ram extends Base"))
        why(jar().classVersion(RAM, 44 + java + 1)) shouldBe "$RAM is compiled for Java ${java + 1}; this is Java $java"
        why(jar().classVersion("org.example.Base", 500)) shouldContain "org.example.Base is compiled for Java 456"
        scanner.scan(jar().classVersion("org.example.Other", 500).writeTo(file)) shouldName listOf("ram")
    }

    "a driver compiled with preview features" {
        val preview = DriverJar().entry(
            "org/example/Ram.class",
            ramJar().classes().values.single().also { it.fill(-1, 4, 6) },
        )
        why(preview) shouldBe "$RAM is compiled with preview features of Java $java"
    }

    "a class that cannot be a driver" {
        fun jar(declaration: String, body: String = "") =
            DriverJar().source(RAM, driverSource(RAM, declaration = declaration, body = body))
        why(jar("public abstract class Ram implements Driver")) shouldBe
            "announces $RAM as a driver, but it is abstract"
        why(jar("class Ram implements Driver")) shouldContain "it is not public"
        val constructor = "has no public constructor without parameters"
        why(jar("public class Ram implements Driver", "public Ram(int size) {}")) shouldContain constructor
        why(jar("public class Ram implements Driver", "Ram() {}")) shouldContain constructor
        val annotation = """@StorageDriver(name = "a", description = "A", version = "1.0.0", supportedDevices = {})"""

        fun bare(type: String) = DriverJar()
            .source(RAM, "package org.example; import dev.arraywright.spi.driver.*; $annotation $type {}")
        why(bare("public interface Ram extends Driver")) shouldContain "it is an interface"
        why(bare("public class Ram implements Runnable { public void run() {} } class Unused")) shouldContain
            "it does not implement dev.arraywright.spi.driver.Driver"
    }

    "an announcement that makes no sense" {
        fun setting(rest: String) =
            """supportedDevices = "ram", settings = @DriverSetting(description = "S", $rest)"""
        val annotations = mapOf(
            """supportedDevices = "R A M"""" to "'R A M' is neither an address scheme",
            """supportedDevices = {}, requires = "fabric ^x.y"""" to "requires: '^x.y' is no range",
            """supportedDevices = {}, requires = "ram"""" to "it requires itself",
            """supportedDevices = {}, minimumPlatform = "one"""" to "minimumPlatform: 'one' is no semantic version",
            setting("""name = "a b"""") to "'a b' is no setting's name",
            setting("""name = "a", type = DriverSetting.Type.SIZE, defaultValue = "big"""") to
                "the default value of setting 'a': 'big' is not a size",
        )
        for ((annotation, reason) in annotations) {
            withClue(annotation) { why(ramJar(annotation)) shouldContain "$RAM with a bad @StorageDriver: $reason" }
        }
        why(ramJar(version = "1.x")) shouldContain "version: '1.x' is no semantic version"
        why(DriverJar().source(RAM, driverSource(RAM, name = "Not Mine"))) shouldContain
            "'Not Mine' is no driver's name"
    }

    "a driver that needs a newer Arraywright" {
        val jar = ramJar("""supportedDevices = {}, minimumPlatform = "0.2.0"""")
        why(jar) shouldBe "has ram 1.0.0, which needs Arraywright 0.2.0 or newer; this is 0.1.0"
        DriverScanner(platform = DriverVersion.parse("0.2.0-SNAPSHOT")).scan(file) shouldName listOf("ram")
    }

    "two drivers of one name in a jar" {
        val jar = ramJar().source("org.example.Two", driverSource("org.example.Two", name = "ram"))
        why(jar) shouldBe "has two drivers named 'ram': org.example.Ram and org.example.Two"
    }

    "the first few of many reasons are told" {
        val jar = DriverJar()
        repeat(5) { jar.source("org.example.D$it", driverSource("org.example.D$it", version = "v$it")) }
        why(jar).split("; ").map { it.substringAfterLast(": ") } shouldBe
            listOf("'v0'", "'v1'", "'v2'").map { "$it is no semantic version such as 1.4.2" } + "and 2 more"
    }

    "a driver's class where no class loader looks for it" {
        val nested = DriverJar().entry("BOOT-INF/classes/org/example/Ram.class", ramJar().classes().values.single())
        why(nested) shouldContain "has a class 'org.example.Ram' where nobody looks for it"
    }

    "annotations nested until a parser's stack overflows" {
        val deep = DriverJar().stored().entry("Deep.class", deeplyAnnotated(1_000_000))
        why(deep) shouldContain "it is nested too deeply"
    }

    "an annotation compiled against another spi" {
        val old = DriverJar.compile(
            mapOf(
                "dev.arraywright.spi.driver.StorageDriver" to """package dev.arraywright.spi.driver;
                    import java.lang.annotation.*;
                    @Retention(RetentionPolicy.RUNTIME)
                    public @interface StorageDriver { int version(); String name(); int description(); }""",
                RAM to """package org.example; import dev.arraywright.spi.driver.*;
                    @StorageDriver(name = "ram", version = 3, description = 1) public class Ram implements Driver {
                      public void initialize(DriverContext context) {} public void close() {}
                      public dev.arraywright.spi.device.BlockDevice open(
                          dev.arraywright.spi.device.StorageAddress address, OpenOptions options) { return null; } }""",
            ),
        )
        val name = DriverJar.entryOf(RAM)
        why(DriverJar().entry(name, old.getValue(name))) shouldContain
            "'description' of @StorageDriver is not text: it was compiled against another spi"
    }
})
