package dev.arraywright.kernel.driver.isolate

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverJar
import dev.arraywright.kernel.driver.driverSource
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import java.nio.file.Path
import java.nio.file.attribute.PosixFilePermissions
import kotlin.io.path.Path
import kotlin.io.path.deleteExisting
import kotlin.io.path.div
import kotlin.io.path.getPosixFilePermissions
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.name
import kotlin.io.path.readBytes
import kotlin.io.path.readText
import kotlin.time.Duration.Companion.seconds

/** Drivers tell in their toString what their native method gives. */
class NativeCopiesSpec : StringSpec({
    val folder = tempdir().toPath()
    val scratch = tempdir().toPath()
    val limits = LoaderLimits(scratch = scratch)
    val loader = DriverLoader(limits = limits)
    val file = System.mapLibraryName("answer")
    val place = "native/${NativeCopies.PLATFORM}/$file"

    fun answering(number: Int) = sharedObject("Java_org_example_Native_answer", number)

    fun jar(name: String, library: String = "answer", more: DriverJar.() -> Unit = {}): Path {
        val body = """
            static { System.loadLibrary("$library"); }
            static native int answer();
            @Override public String toString() { return "" + answer(); }
        """.trimIndent()
        return DriverJar().source(TYPE, driverSource(TYPE, body = body)).apply(more).writeTo(folder / "$name.jar")
    }

    suspend fun tells(jar: Path): String = loader.load(jar, TYPE).use { it.driver.toString() }

    fun copies(): List<Path> = scratch.listDirectoryEntries().flatMap { it.listDirectoryEntries() }

    fun mapped(copy: Path) = copy.toString() in Path("/proc/self/maps").readText()

    "a library in the jar is that of the platform, else the one at the root" {
        val other = "native/plan9-mips/$file"
        tells(
            jar("own") {
                entry(other, answering(1)).entry(file, answering(2)).entry(place, answering(3))
            },
        ) shouldBe "3"
        tells(jar("root") { entry(other, answering(1)).entry(file, answering(2)) }) shouldBe "2"
    }

    "a private dependency brings its own, and that of the driver comes first" {
        val library = DriverJar().entry(place, answering(4))
        tells(jar("nested") { library("binding.jar", library) }) shouldBe "4"
        tells(jar("both") { library("binding.jar", library).entry(place, answering(5)) }) shouldBe "5"
    }

    "two versions of a driver have each its own at one time, and both go from memory and disk" {
        val (watches, files) = run {
            val first = loader.load(jar("answer") { entry(place, answering(1)) }, TYPE)
            val second = loader.load(jar("answer") { entry(place, answering(2)) }, TYPE)
            (folder / "answer.jar").deleteExisting()
            first.driver.toString() shouldBe "1"
            second.driver.toString() shouldBe "2"
            first.driver.toString() shouldBe "1"
            val files = copies().shouldHaveSize(2)
            files.all { it.name == file && mapped(it) } shouldBe true
            files.forEach {
                PosixFilePermissions.toString(it.parent.getPosixFilePermissions()) shouldBe "rwx------"
            }
            first.close()
            copies() shouldHaveSize 1
            second.driver.toString() shouldBe "2"
            second.close()
            scratch.listDirectoryEntries().shouldBeEmpty()
            listOf(first.watch, second.watch) to files
        }
        watches.forEach { it.await() shouldBe LeakOutcome.Collected }
        eventually(10.seconds) { files.none(::mapped) shouldBe true }
    }

    "it may be loaded again by the same driver, from one copy" {
        val body = """
            static native int answer();
            @Override public String toString() {
              System.loadLibrary("answer");
              System.loadLibrary("answer");
              return "" + answer();
            }
        """.trimIndent()
        val jar = DriverJar().source(TYPE, driverSource(TYPE, body = body)).entry(place, answering(6))
            .writeTo(folder / "again.jar")
        loader.load(jar, TYPE).use {
            scratch.listDirectoryEntries().shouldBeEmpty()
            it.driver.toString() shouldBe "6"
            it.driver.toString() shouldBe "6"
            copies().single().readBytes() shouldBe answering(6)
        }
        val late = loader.load(jar, TYPE)
        val driver = late.driver
        late.close()
        shouldThrow<UnsatisfiedLinkError> { driver.toString() }.message shouldContain "no answer in"
        scratch.listDirectoryEntries().shouldBeEmpty()
    }

    "one that is missing, damaged or beyond the limits is told, and leaves nothing behind" {
        suspend fun refused(jar: Path, by: DriverLoader = loader): KernelError {
            val error = shouldThrow<KernelError.DriverUnusable> { by.load(jar, TYPE) }
            scratch.listDirectoryEntries().shouldBeEmpty()
            return error
        }
        val none = refused(jar("none") { entry("native/plan9-mips/$file", answering(1)) })
        none.why shouldContain "no answer in java.library.path"
        none.remedy shouldContain "into ${NativeCopies.PLACE} of the jar"
        refused(jar("damaged") { entry(place, answering(1).also { it[MACHINE] = 0 }) }).why shouldContain file
        refused(jar("odd", "../answer") { entry("native/$file", answering(1)) }).why shouldContain "separator"
        val large = jar("large") { entry(place, ByteArray(1 shl 20)) }
        val bounded = DriverLoader(limits = limits.copy(bytes = 1L shl 20))
        refused(large, bounded).why shouldContain "$file of the driver cannot be used: large.jar and its libraries"
    }

    "what the driver does not bring is the JVM's to look for" {
        val body = """@Override public String toString() { System.loadLibrary("net"); return "loaded"; }"""
        val jar = DriverJar().source(TYPE, driverSource(TYPE, body = body)).writeTo(folder / "system.jar")
        // The JVM's own libraries are in its own loader, so what it says is that it found one.
        loader.load(jar, TYPE).use {
            val told = runCatching { it.driver.toString() }.fold({ told -> told }, { e -> "${e.message}" })
            told shouldNotContain "no net in"
        }
        scratch.listDirectoryEntries().shouldBeEmpty()
    }

    "platforms have one name, whatever the JVM calls them" {
        NativeCopies.platform("Linux", "amd64") shouldBe "linux-x86_64"
        NativeCopies.platform("Mac OS X", "aarch64") shouldBe "macos-aarch64"
        NativeCopies.platform("Windows Server 2022", "x86") shouldBe "windows-x86"
        NativeCopies.platform("Linux", "riscv64") shouldBe "linux-riscv64"
    }
}) {
    private companion object {
        const val TYPE = "org.example.Native"

        /** Where an ELF header says for which processor it is. */
        const val MACHINE = 18
    }
}
