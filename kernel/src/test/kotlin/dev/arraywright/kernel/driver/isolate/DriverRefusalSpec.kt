package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.KernelError.DriverUnusable
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.kernel.driver.isolate.leak.LeakChecks
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.kernel.driver.isolate.leak.LeakWatch
import dev.arraywright.kernel.driver.isolate.leak.WatchedLoader
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import java.lang.ref.WeakReference
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import kotlin.io.path.div
import kotlin.io.path.readBytes
import kotlin.io.path.writeBytes
import kotlin.time.Duration.Companion.seconds

class DriverRefusalSpec : StringSpec({
    val folder = tempdir().toPath()
    val loader = DriverLoader()

    fun jar(name: String, body: String, declaration: String = "public class Bad implements Driver"): Path = DriverJar()
        .source("org.example.Bad", driverSource("org.example.Bad", declaration = declaration, body = body))
        .writeTo(folder / "$name.jar")

    suspend fun refused(jar: Path, by: DriverLoader = loader, type: String = "org.example.Bad"): DriverUnusable {
        val error = shouldThrow<DriverUnusable> { by.load(jar, type) }
        error.what shouldBe "cannot load the driver ${jar.fileName}"
        error.cause shouldBe null
        return error
    }

    fun watch(type: WeakReference<*>) =
        (type.get() as Class<*>?)?.let {
            LeakWatch(it.classLoader as WatchedLoader, LeakChecks(heapDumpUpTo = 8L shl 30))
        }

    "what a constructor throws is told in words, and the driver is gone" {
        val body = """
            static class Own extends RuntimeException { Own() { super("no luck"); } }
            public Bad() {
              System.getProperties().put("spec.refusal", new java.lang.ref.WeakReference<>(Own.class));
              throw new Own();
            }
        """.trimIndent()
        val error = refused(jar("throws", body))
        error.why shouldBe "org.example.Bad\$Own: no luck"
        error.details shouldContain "org.example.Bad.<init>(Bad.java:"
        val watch = watch(System.getProperties().remove("spec.refusal") as WeakReference<*>)
        (watch?.await() ?: LeakOutcome.Collected) shouldBe LeakOutcome.Collected
    }

    "a driver's own word on why and what to do is passed on" {
        val body = "public Bad() throws DriverException { throw new DriverException(" +
            "DriverException.Reason.UNSUPPORTED, \"no such machine\", \"get one\"); }"
        val error = refused(jar("words", body))
        error.why shouldBe "no such machine"
        error.remedy shouldBe "get one"
    }

    "an exception that throws when it is asked is told by its class" {
        val body = "static class Own extends RuntimeException { public String getMessage() { throw this; } }" +
            "public Bad() { throw new Own(); }"
        refused(jar("mute", body)).why shouldBe "org.example.Bad\$Own, which fails to say more"
    }

    "what a static initialiser throws is told, down to an error" {
        refused(jar("static", "static { if (true) throw new IllegalStateException(\"not today\"); }"))
            .why shouldBe "java.lang.IllegalStateException: not today"
        refused(jar("deep", "Bad next = new Bad();")).why shouldBe "java.lang.StackOverflowError"
    }

    "a class that is missing is named, with what a driver sees" {
        val library = DriverJar().source("org.library.Far", "package org.library; public class Far {}")
        val path = library.writeTo(folder / "compile.jar")
        val source = driverSource("org.example.Bad", body = "Object far = new org.library.Far();")
        val bad = DriverJar().compileWith(path).source("org.example.Bad", source).writeTo(folder / "missing.jar")
        val error = refused(bad)
        error.why shouldBe "java.lang.NoClassDefFoundError: org/library/Far"
        error.remedy shouldContain "lib/"
        error.details shouldContain "neither in the driver nor in its lib/"
    }

    "a class of a newer Java is refused with what to do" {
        val source = driverSource("org.example.Bad")
        val bad = DriverJar().source(
            "org.example.Bad",
            source,
        ).classVersion("org.example.Bad", 99).writeTo(folder / "new.jar")
        val error = refused(bad)
        error.why shouldStartWith "java.lang.UnsupportedClassVersionError: org/example/Bad"
        error.remedy shouldStartWith "compile the driver for Java 25 or older"
    }

    "another version of the SPI is noted where a driver does not link" {
        val spi = DriverJar.compile(
            mapOf("dev.arraywright.spi.device.Later" to "package dev.arraywright.spi.device; public class Later {}"),
        )
        val library = DriverJar().apply { spi.forEach { (name, bytes) -> entry(name, bytes) } }
        val path = library.writeTo(folder / "later.jar")
        val source = driverSource("org.example.Bad", body = "Object later = new dev.arraywright.spi.device.Later();")
        val bad = DriverJar().compileWith(path).source("org.example.Bad", source).library("spi.jar", library)
            .writeTo(folder / "linked.jar")
        refused(bad).why shouldBe "java.lang.NoClassDefFoundError: dev/arraywright/spi/device/Later; " +
            "linked.jar!/lib/spi.jar brings a class of dev.arraywright.spi: they are not used, the kernel's are"
    }

    "a type that is no driver, cannot be constructed, or is not there is refused" {
        val good = jar("good", "")
        refused(good, type = "org.example.None").why shouldContain "org.example.None is neither in the driver"
        refused(
            good,
            type = "java.lang.String",
        ).why shouldContain "java.lang.String is no dev.arraywright.spi.driver.Driver"
        refused(jar("hidden", "", "class Bad implements Driver")).why shouldContain "is not public"
        refused(jar("abstract", "", "public abstract class Bad implements Driver")).why shouldContain "is abstract"
        refused(jar("private", "private Bad() {}")).why shouldContain "no public constructor without parameters"
        refused(jar("asks", "public Bad(int i) {}")).why shouldContain "no public constructor without parameters"
    }

    "a file that is no jar, is cut short, or is not there is refused" {
        val good = jar("good", "")
        val cut = (folder / "cut.jar").apply { writeBytes(good.readBytes().let { it.copyOf(it.size / 2) }) }
        refused(cut).why shouldContain "does not end like a zip"
        refused(
            (folder / "text.jar").apply {
                writeBytes("no jar".encodeToByteArray())
            },
        ).why shouldContain "does not end like a zip"
        refused(folder / "none.jar").why shouldContain "NoSuchFile"
    }

    "what is larger than allowed is refused, also inside a library that deflates well" {
        val small = LoaderLimits(bytes = 100_000, entries = 20, classBytes = 3_000, libraries = 1)
        val by = DriverLoader(limits = small)
        val source = driverSource("org.example.Bad")

        fun bad(more: DriverJar.() -> Unit) =
            DriverJar().source("org.example.Bad", source).apply(more).writeTo(folder / "large.jar")
        by.load(bad { }, "org.example.Bad").close()
        val bomb = DriverJar().stored().resource("zeros", "0".repeat(200_000))
        refused(bad { library("bomb.jar", bomb) }, by).why shouldContain "larger than the 100000 bytes"
        refused(bad { repeat(20) { resource("$it", "") } }, by).why shouldContain "20 are allowed"
        refused(bad { repeat(2) { library("$it.jar", DriverJar()) } }, by).why shouldContain "more than 1 libraries"
        val large = driverSource("org.example.Bad", body = "String s = \"${"x".repeat(4_000)}\";")
        refused(DriverJar().source("org.example.Bad", large).writeTo(folder / "large.jar"), by)
            .details shouldContain "larger than the 3000 bytes"
    }

    "a constructor that hangs is given up, is counted until it ends, and then is gone" {
        val patient = DriverLoader(limits = LoaderLimits(deadline = 2.seconds, stranded = 1))
        val release = CountDownLatch(1)
        System.getProperties()["spec.hang"] = release
        val body = """
            static class Hang {
              static final int N = hang();
              static int hang() {
                var latch = (java.util.concurrent.CountDownLatch) System.getProperties().get("spec.hang");
                while (true) try { latch.await(); return 1; } catch (InterruptedException e) { /* on and on */ }
              }
            }
            public Bad() { System.out.print(Hang.N == 1 ? "" : "?"); }
        """.trimIndent()
        val jar = jar("hangs", body)
        val error = refused(jar, patient)
        error.why shouldStartWith "its constructor or a static initialiser hangs"
        error.details shouldContain "org.example.Bad\$Hang.hang"
        val watch = patient.stranded.shouldHaveSize(1).single()
        refused(jar, patient).why shouldStartWith "1 drivers hang"
        System.getProperties().remove("spec.hang")
        release.countDown()
        watch.await() shouldBe LeakOutcome.Collected
        patient.stranded.shouldBeEmpty()
    }

    "a load that is cancelled gives the driver up, and closes one that comes later" {
        val entered = CompletableDeferred<Unit>()
        val release = CountDownLatch(1)
        val closed = CountDownLatch(1)
        System.getProperties()["spec.entered"] = Runnable { entered.complete(Unit) }
        System.getProperties()["spec.release"] = release
        System.getProperties()["spec.closed"] = closed
        val body = """
            public Bad() {
              ((Runnable) System.getProperties().get("spec.entered")).run();
              var latch = (java.util.concurrent.CountDownLatch) System.getProperties().get("spec.release");
              while (true) try { latch.await(); return; } catch (InterruptedException e) { /* on and on */ }
            }
            @Override public void close() {
              ((java.util.concurrent.CountDownLatch) System.getProperties().get("spec.closed")).countDown();
            }
        """.trimIndent()
        coroutineScope {
            val load = async(Dispatchers.Default) { loader.load(jar("late", body), "org.example.Bad") }
            entered.await()
            load.cancelAndJoin()
            release.countDown()
            closed.await()
        }
        listOf("entered", "release", "closed").forEach { System.getProperties().remove("spec.$it") }
    }
})
