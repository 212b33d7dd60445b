package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.kernel.driver.isolate.leak.LeakWatch
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.lang.management.ManagementFactory
import kotlin.io.path.div
import kotlin.io.path.listDirectoryEntries
import kotlin.time.Duration.Companion.seconds

class MetaspaceSpec : StringSpec({
    val metaspace = ManagementFactory.getMemoryPoolMXBeans().first { it.name == "Metaspace" }
    val classes = ManagementFactory.getClassLoadingMXBean()

    "a driver that is loaded and unloaded 1,000 times leaves metaspace, files and threads as they were" {
        val scratch = tempdir().toPath()
        val body = """
            static class Helper { int n = 1; }
            @Override public void start() { Runnable r = () -> new Helper(); r.run(); }
        """.trimIndent()
        val jar = DriverJar().source("org.example.Often", driverSource("org.example.Often", body = body)).padding(20)
            .library("more.jar", DriverJar().padding(20))
            .writeTo(tempdir().toPath() / "often.jar")
        val loader = DriverLoader(limits = LoaderLimits(scratch = scratch))

        suspend fun once(): LeakWatch = loader.load(jar, "org.example.Often").use { loaded ->
            loaded.call("start", 10.seconds) {
                it.start()
                repeat(20) { n -> Class.forName("padding.p$n.C$n", true, loaded.driver.javaClass.classLoader) }
            }
            loaded.watch
        }

        suspend fun times(count: Int) {
            val watches = List(count) { once() }
            watches.forEach { it.await() shouldBe LeakOutcome.Collected }
        }

        fun descriptors() = java.nio.file.Path.of("/proc/self/fd").listDirectoryEntries().size

        times(100)
        val used = metaspace.usage.used
        val unloaded = classes.unloadedClassCount
        val open = descriptors()
        repeat(9) { times(100) }
        classes.unloadedClassCount - unloaded shouldBeGreaterThanOrEqual 900L * 22
        // 22 classes a time take some 60 KiB: one in ten that stayed would be 5 MiB.
        metaspace.usage.used shouldBeLessThan used + (1L shl 20)
        descriptors() shouldBeLessThan open + 10
        scratch.listDirectoryEntries().size shouldBe 0
    }
})
