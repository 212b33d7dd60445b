package dev.arraywright.kernel.driver

import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import java.net.URLClassLoader
import java.util.jar.JarFile
import kotlin.io.path.div

class DriverJarSpec : StringSpec({
    val directory = tempdir().toPath()

    "a jar is compiled, and the JDK reads and runs it" {
        val library = DriverJar().source("lib.Words", "package lib; public class Words {}")
        val jar = DriverJar()
            .source("org.example.Ram", driverSource("org.example.Ram", body = "public static class Disk {}"))
            .manifest("Implementation-Title", "Ram")
            .resource("words.txt", "x")
            .library("words.jar", library)
            .padding(20)
        for (file in listOf(jar.writeTo(directory / "a.jar"), jar.stored().writeTo(directory / "b.jar"))) {
            JarFile(file.toFile()).use { read ->
                val names = read.entries().asSequence().map { it.name }.toList()
                names.take(3) shouldContainExactly
                    listOf("META-INF/MANIFEST.MF", "org/example/Ram\$Disk.class", "org/example/Ram.class")
                names shouldContain "lib/words.jar"
                read.manifest.mainAttributes.getValue("Implementation-Title") shouldBe "Ram"
                read.getInputStream(read.getEntry("words.txt")).readBytes().decodeToString() shouldBe "x"
            }
            URLClassLoader(arrayOf(file.toUri().toURL()), javaClass.classLoader).use { loader ->
                loader.loadClass("org.example.Ram").getConstructor().newInstance()
                loader.loadClass("padding.p7.C7").declaredMethods.size shouldBe 2_000 / 110
            }
        }
    }
})
