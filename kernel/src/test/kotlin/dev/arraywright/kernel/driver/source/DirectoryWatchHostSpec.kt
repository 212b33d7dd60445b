package dev.arraywright.kernel.driver.source

import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption.ATOMIC_MOVE
import kotlin.io.path.createDirectory
import kotlin.io.path.deleteExisting
import kotlin.io.path.deleteRecursively
import kotlin.io.path.writeBytes
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** With the system's own events and no safety net: what is not told is not found. */
@OptIn(kotlin.io.path.ExperimentalPathApi::class)
class DirectoryWatchHostSpec : StringSpec({
    val root = tempdir().toPath()
    val pace = WatchPace(quiet = 200.milliseconds, safetyNet = 1.hours, absent = 100.milliseconds)

    suspend fun watching(directory: Path, pace: WatchPace, test: suspend (DirectoryWatch) -> Unit) {
        val job = Job()
        val watch = DirectoryWatch(Dispatchers.Default + job, directory, Dispatchers.IO, pace = pace)
        try {
            withTimeout(60.seconds) { test(watch) }
        } finally {
            watch.close()
            job.cancel()
        }
    }

    suspend fun DirectoryWatch.until(condition: (DirectorySight) -> Boolean) = sight.first(condition)

    "a jar comes, is replaced by renaming and by overwriting, and goes" {
        val directory = root.resolve("one").createDirectory()
        val jar = directory.resolve("a.jar")
        watching(directory, pace) { watch ->
            jar.writeBytes(jarBytes(1))
            val first = watch.until { jar in it.jars }.jars.getValue(jar)
            watch.changes.first().shouldBeInstanceOf<JarChange.Appeared>().fingerprint shouldBe first
            val next = directory.resolve("a.jar.part").apply { writeBytes(jarBytes(2)) }
            Files.move(next, jar, ATOMIC_MOVE)
            val second = watch.until { it.jars[jar] != first }.jars.getValue(jar)
            (second.file == first.file) shouldBe false
            jar.writeBytes(jarBytes(3))
            val third = watch.until { it.jars[jar] != second }.jars.getValue(jar)
            third.file shouldBe second.file
            jar.deleteExisting()
            watch.until { it.jars.isEmpty() }
        }
    }

    "two hundred jars at once, gone at once" {
        val directory = root.resolve("many").createDirectory()
        watching(directory, pace) { watch ->
            repeat(200) { directory.resolve("j$it.jar").writeBytes(jarBytes(it)) }
            watch.until { it.jars.size == 200 }
            repeat(200) { directory.resolve("j$it.jar").deleteExisting() }
            watch.until { it.jars.isEmpty() }
        }
    }

    "a directory that comes later is watched, and so is the one after it" {
        val directory = root.resolve("later")
        watching(directory, pace) { watch ->
            for (round in 1..3) {
                directory.createDirectory()
                directory.resolve("r$round.jar").writeBytes(jarBytes(round))
                watch.until { sight -> sight.jars.keys.map { it.fileName.toString() } == listOf("r$round.jar") }
                directory.resolve("s$round.jar").writeBytes(jarBytes(round))
                watch.until { it.jars.size == 2 }
                directory.deleteRecursively()
                watch.until { it.jars.isEmpty() }
            }
        }
    }

    "its thread ends with it" {
        val directory = root.resolve("ends").createDirectory()

        fun threads() = Thread.getAllStackTraces().keys.filter { it.name == "watch $directory" }
        watching(directory, pace) { threads().size shouldBe 1 }
        for (thread in threads()) thread.join()
        threads().size shouldBe 0
    }
})
