package dev.arraywright.admin.demo

import dev.arraywright.admin.Bench
import dev.arraywright.admin.Outcome
import dev.arraywright.spi.driver.StorageDriver
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path
import java.util.jar.JarEntry
import java.util.jar.JarOutputStream
import javax.tools.ToolProvider
import kotlin.io.path.createDirectories
import kotlin.io.path.extension
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.outputStream
import kotlin.io.path.readBytes
import kotlin.io.path.relativeTo
import kotlin.io.path.toPath
import kotlin.io.path.walk

class DemoSpec : StringSpec({
    fun Outcome.steps() = out.lines().filter { Regex("^\\d+\\. .*").matches(it) }

    "the demo tells its story, compares every byte, and leaves nothing behind" {
        Bench(mapOf("ARRAYWRIGHT_SAMPLES" to "${builtSamples(tempdir().toPath())}")).use { bench ->
            val temporary = Path.of(System.getProperty("java.io.tmpdir"))
            val before = temporary.listDirectoryEntries("arraywright-demo-*").toSet()
            val outcome = bench.run("demo").ok()
            outcome.steps().size shouldBe 14
            outcome.out shouldContain "overlay 0.1.0 is running"
            outcome.out shouldContain "every image is as it was"
            outcome.out shouldContain "nothing of it is in memory"
            outcome.out shouldContain "every byte compared equal"
            (temporary.listDirectoryEntries("arraywright-demo-*").toSet() - before).shouldBeEmpty()
            bench.leftSockets().shouldBeEmpty()
        }
    }

    "where the sample driver is not built, the demo says so and goes on" {
        Bench().use { bench ->
            val outcome = bench.run("demo").ok()
            outcome.steps().size shouldBe 10
            outcome.steps().last() shouldContain "left out, as the sample's is not built"
            outcome.out shouldContain "every byte compared equal"
        }
    }
})

/** The samples' directory as Maven leaves it, with the driver's jar made from its sources here. */
private fun builtSamples(samples: Path): Path {
    val main = Path.of("..", "samples", "java-driver", "src", "main")
    val classes = samples.resolve("classes")
    val spi = checkNotNull(StorageDriver::class.java.protectionDomain.codeSource).location.toURI().toPath()
    val sources = main.resolve("java").walk().filter { it.extension == "java" }.map { "$it" }.toList()
    val options = arrayOf("-proc:none", "-nowarn", "-cp", "$spi", "-d", "$classes", *sources.toTypedArray())
    check(ToolProvider.getSystemJavaCompiler().run(null, null, null, *options) == 0) { "it does not compile" }
    val file = samples.resolve("java-driver/target").createDirectories().resolve("overlay-driver-0.1.0.jar")
    JarOutputStream(file.outputStream()).use { jar ->
        for (root in listOf(classes, main.resolve("resources"))) {
            for (entry in root.walk()) {
                jar.putNextEntry(JarEntry("${entry.relativeTo(root)}"))
                jar.write(entry.readBytes())
            }
        }
    }
    return samples
}
