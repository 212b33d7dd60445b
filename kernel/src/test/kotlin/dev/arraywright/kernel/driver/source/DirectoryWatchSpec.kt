package dev.arraywright.kernel.driver.source

import dev.arraywright.kernel.file.DirectoryEvents
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runTest
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption.REPLACE_EXISTING
import java.nio.file.StandardOpenOption.APPEND
import java.nio.file.StandardOpenOption.CREATE
import java.nio.file.attribute.FileTime
import kotlin.io.path.createDirectory
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.deleteExisting
import kotlin.io.path.writeBytes
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Real files in virtual time: nothing is told of them but what [happened] tells. */
@OptIn(ExperimentalCoroutinesApi::class)
class DirectoryWatchSpec : StringSpec({
    class Events : DirectoryEvents {
        private var wake: () -> Unit = {}
        var closed = false
        val followed = ArrayList<Any?>()

        override fun start(wake: () -> Unit) {
            this.wake = wake
        }

        /** Happens right after what is there was followed. */
        var meanwhile: () -> Unit = {}

        override fun follow(identity: Any?) {
            meanwhile()
            if (followed.lastOrNull() != identity) followed += identity
        }

        override fun close() {
            closed = true
        }

        fun happened() = wake()
    }

    class Scene(val test: TestScope, val directory: Path) {
        val events = Events()
        private val io = StandardTestDispatcher(test.testScheduler)
        val watch = DirectoryWatch(
            test.backgroundScope.coroutineContext,
            JarFiles(directory, "*.jar"),
            events,
            io,
            test.testScheduler.timeSource,
        )
        val told = ArrayList<JarChange>()

        init {
            test.backgroundScope.launch { watch.changes.collect { told += it } }
            after(Duration.ZERO)
        }

        /** What is told within [time], in short. */
        fun after(time: Duration): List<String> {
            told.clear()
            test.advanceTimeBy(time)
            test.testScheduler.runCurrent()
            return told.map { "${it::class.simpleName} ${directory.relativize(it.path)}" }
        }

        fun file(name: String): Path = directory.resolve(name)
    }

    val root = tempdir().toPath()
    var number = 0

    fun scene(make: Boolean = true, test: suspend Scene.() -> Unit) = runTest {
        val directory = root.resolve("d${number++}")
        if (make) directory.createDirectory()
        Scene(this, directory).test()
    }

    "jars come, change by renaming and by overwriting, and go" {
        scene {
            file("a.jar").writeBytes(jarBytes(1))
            file("not.txt").writeBytes(jarBytes(1))
            file("sub.jar").createDirectory()
            events.happened()
            after(600.milliseconds).shouldBeEmpty()
            after(200.milliseconds) shouldContainExactly listOf("Appeared a.jar")

            file("new").writeBytes(jarBytes(2))
            Files.move(file("new"), file("a.jar"), REPLACE_EXISTING)
            events.happened()
            after(1.seconds) shouldContainExactly listOf("Changed a.jar")

            file("a.jar").writeBytes(jarBytes(3))
            events.happened()
            after(1.seconds) shouldContainExactly listOf("Changed a.jar")

            file("a.jar").deleteExisting()
            events.happened()
            after(1.seconds) shouldContainExactly listOf("Removed a.jar")
            after(1.minutes).shouldBeEmpty()
        }
    }

    "a change of the same size that sets back the time is seen, and one of the file's rights alone is none" {
        scene {
            val time = FileTime.fromMillis(1_000_000)

            fun touched() = Files.getAttribute(file("a.jar"), "unix:ctime")

            fun put(seed: Int) = file("a.jar").writeBytes(jarBytes(seed, size = 1_000)).also {
                Files.setLastModifiedTime(file("a.jar"), time)
            }
            put(1)
            after(11.seconds) shouldContainExactly listOf("Appeared a.jar")
            val before = touched()
            // Virtual time may pass between two ticks of the file system's clock.
            while (touched() == before) put(2)
            after(11.seconds) shouldContainExactly listOf("Changed a.jar")
            Files.setPosixFilePermissions(file("a.jar"), emptySet())
            after(11.seconds).shouldBeEmpty()
        }
    }

    "a slow copy is waited for, however slow its pieces are" {
        scene {
            val whole = jarBytes(1, 100_000, stored = jarBytes(2))
            val pieces = whole.toList().chunked(10_000).map { it.toByteArray() }
            for (piece in pieces) {
                after(20.seconds).shouldBeEmpty()
                Files.write(file("a.jar"), piece, CREATE, APPEND)
                events.happened()
            }
            after(1.seconds) shouldContainExactly listOf("Appeared a.jar")
        }
    }

    "one that stays half is rejected once, and a jar when it is whole" {
        scene {
            val whole = jarBytes(1)
            file("a.jar").writeBytes(whole.copyOf(500))
            events.happened()
            after(25.seconds).shouldBeEmpty()
            after(10.seconds) shouldContainExactly listOf("Rejected a.jar")
            watch.sight.value.rejected.getValue(file("a.jar")) shouldContain "is no complete zip"
            after(10.minutes).shouldBeEmpty()
            file("a.jar").writeBytes(whole)
            events.happened()
            after(1.seconds) shouldContainExactly listOf("Appeared a.jar")
        }
    }

    "what nobody tells of is found all the same" {
        scene {
            file("a.jar").writeBytes(jarBytes(1))
            after(11.seconds) shouldContainExactly listOf("Appeared a.jar")
        }
    }

    "links are followed, and one into nowhere is nothing" {
        scene {
            val target = file("target").apply { writeBytes(jarBytes(1)) }
            file("a.jar").createSymbolicLinkPointingTo(target)
            file("b.jar").createSymbolicLinkPointingTo(file("nowhere"))
            file("c.jar").createSymbolicLinkPointingTo(file("c.jar"))
            after(11.seconds) shouldContainExactly listOf("Appeared a.jar")
            target.writeBytes(jarBytes(2))
            after(11.seconds) shouldContainExactly listOf("Changed a.jar")
        }
    }

    "a directory that comes between following it and listing it is followed soon, though nobody tells of it" {
        scene(make = false) {
            after(1.seconds)
            events.meanwhile = {
                events.meanwhile = {}
                directory.createDirectory()
            }
            // Far less than what the safety net would take.
            after(5.seconds).shouldBeEmpty()
            events.followed.last() shouldNotBe null
            file("a.jar").writeBytes(jarBytes(1))
            events.happened()
            after(1.seconds) shouldContainExactly listOf("Appeared a.jar")
        }
    }

    "the directory may come later, go, and come again" {
        scene(make = false) {
            after(10.seconds).shouldBeEmpty()
            directory.createDirectory()
            file("a.jar").writeBytes(jarBytes(1))
            after(3.seconds) shouldContainExactly listOf("Appeared a.jar")
            val moved = directory.resolveSibling("$directory-moved")
            Files.move(directory, moved)
            events.happened()
            after(3.seconds) shouldContainExactly listOf("Removed a.jar")
            directory.createDirectory()
            file("b.jar").writeBytes(jarBytes(1))
            after(3.seconds) shouldContainExactly listOf("Appeared b.jar")
            events.followed.size shouldBe 3
            events.followed.distinct().size shouldBe 3
            watch.sight.value.degraded.shouldBeNull()
        }
    }

    "a directory that cannot be listed is told, and changes nothing" {
        scene {
            file("a.jar").writeBytes(jarBytes(1))
            after(11.seconds)
            val aside = directory.resolveSibling("$directory-aside")
            Files.move(directory, aside)
            directory.createSymbolicLinkPointingTo(directory)
            after(11.seconds).shouldBeEmpty()
            watch.sight.value.degraded.shouldNotBeNull()
            watch.sight.value.jars.size shouldBe 1
            directory.deleteExisting()
            Files.move(aside, directory)
            after(3.seconds).shouldBeEmpty()
            watch.sight.value.degraded.shouldBeNull()
        }
    }

    "each collector is first told of what is there" {
        scene {
            for (name in listOf("b.jar", "a.jar")) file(name).writeBytes(jarBytes(1))
            after(11.seconds)
            val late = ArrayList<JarChange>()
            test.backgroundScope.launch { watch.changes.collect { late += it } }
            after(1.milliseconds)
            late.map { it.path } shouldContainExactly listOf(file("a.jar"), file("b.jar"))
        }
    }

    "nothing is told after its end" {
        scene {
            watch.close()
            events.closed shouldBe true
            file("a.jar").writeBytes(jarBytes(1))
            events.happened()
            after(1.minutes).shouldBeEmpty()
        }
    }
})
