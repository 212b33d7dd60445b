package dev.arraywright.kernel.driver.source

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import java.nio.file.Path
import java.time.Instant
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class SettlingSpec : StringSpec({
    val jar = Path.of("a.jar")
    val pace = WatchPace()

    fun sighting(number: Int) = FileSighting(number.toLong(), Instant.EPOCH, Instant.EPOCH, "inode $number")

    /** A directory with one file at most, looked at whenever told. */
    class Scene {
        val settling = Settling(pace)
        var now = Duration.ZERO
        var file: FileSighting? = null
        var contents: Contents = Contents.Whole(1)

        fun look(later: Duration, next: FileSighting? = file) {
            now += later
            file = next
            settling.see(now, listOfNotNull(file).associateBy { jar })
            for ((path, _) in settling.due(now)) settling.examined(now, path, file, contents)
        }
    }

    "a file is a jar once it has not changed for the quiet time and is whole" {
        with(Scene()) {
            look(0.seconds, sighting(1))
            look(400.milliseconds, sighting(2))
            look(499.milliseconds)
            settling.jars.shouldBeEmpty()
            settling.nextDue shouldBe 900.milliseconds
            look(1.milliseconds)
            settling.jars[jar] shouldBe JarFingerprint(2, Instant.EPOCH, "inode 2", 1)
            settling.nextDue.shouldBeNull()
        }
    }

    "an incomplete one is waited for, and rejected once it has not changed for long" {
        with(Scene()) {
            contents = Contents.Incomplete("is half")
            look(0.seconds, sighting(1))
            repeat(59) { look(500.milliseconds) }
            look(400.milliseconds, sighting(2))
            repeat(59) { look(500.milliseconds) }
            settling.rejected.shouldBeEmpty()
            look(500.milliseconds)
            settling.rejected shouldBe mapOf(jar to "is half")
            settling.nextDue.shouldBeNull()
            contents = Contents.Whole(7)
            look(1.seconds)
            settling.rejected shouldBe mapOf(jar to "is half")
            look(1.seconds, sighting(3))
            settling.rejected.shouldBeEmpty()
            look(500.milliseconds)
            settling.jars.keys shouldBe setOf(jar)
        }
    }

    "one that is away for a moment is changed, not gone; one that is away for longer is gone" {
        with(Scene()) {
            look(0.seconds, sighting(1))
            look(500.milliseconds)
            look(1.seconds, null)
            look(499.milliseconds, sighting(2))
            settling.jars.getValue(jar).size shouldBe 1
            look(500.milliseconds)
            settling.jars.getValue(jar).size shouldBe 2
            look(1.seconds, null)
            look(500.milliseconds)
            settling.jars.shouldBeEmpty()
        }
    }

    "a jar stays what it was while something else is written over it, and if that is never whole" {
        with(Scene()) {
            look(0.seconds, sighting(1))
            look(500.milliseconds)
            val before = settling.jars
            contents = Contents.Incomplete("is half")
            look(1.seconds, sighting(2))
            repeat(60) {
                look(500.milliseconds)
                settling.jars shouldBe before
            }
            settling.rejected.keys shouldBe setOf(jar)
        }
    }

    "one that is written to while it is looked into is not what was found in it" {
        with(Scene()) {
            look(0.seconds, sighting(1))
            now += 500.milliseconds
            settling.see(now, mapOf(jar to sighting(1)))
            settling.due(now).keys shouldBe setOf(jar)
            settling.examined(now, jar, sighting(2), Contents.Whole(1))
            settling.jars.shouldBeEmpty()
            settling.nextDue shouldBe 1.seconds
        }
    }

    "whatever happens: shown is what was whole and quiet, and in the end what there is" {
        for (seed in 1..500) {
            withClue("seed $seed") {
                val random = Random(seed)
                val paths = List(4) { Path.of("$it.jar") }
                val settling = Settling(pace)
                var now = Duration.ZERO
                val files = HashMap<Path, FileSighting>()
                val whole = HashMap<FileSighting, Boolean>()
                val changed = HashMap<Path, Duration>()
                var number = 0

                fun look() {
                    val before = settling.jars
                    settling.see(now, files)
                    for ((path, seen) in settling.due(now)) {
                        seen shouldBe files[path]
                        val good = whole.getValue(seen)
                        val contents = if (good) Contents.Whole(seen.size) else Contents.Incomplete("is half")
                        settling.examined(now, path, seen, contents)
                    }
                    for (path in paths) {
                        val shown = settling.jars[path]
                        if (shown == before[path]) continue
                        (now - changed.getValue(path) >= pace.quiet) shouldBe true
                        if (shown == null) {
                            files[path].shouldBeNull()
                        } else {
                            shown.size shouldBe files.getValue(path).size
                            whole[files.getValue(path)] shouldBe true
                        }
                    }
                }
                repeat(60) {
                    val path = paths.random(random)
                    when (random.nextInt(4)) {
                        0 -> if (files.remove(path) != null) changed[path] = now
                        1, 2 -> {
                            files[path] = sighting(++number).also { whole[it] = random.nextBoolean() }
                            changed[path] = now
                        }
                        else -> Unit
                    }
                    now += random.nextInt(400).milliseconds
                    look()
                }
                repeat(70) {
                    now += pace.quiet
                    look()
                }
                val good = files.filterValues { whole.getValue(it) }
                good.all { (path, seen) -> settling.jars.getValue(path).size == seen.size } shouldBe true
                settling.rejected.keys shouldBe files.keys - good.keys
                (settling.jars.keys - files.keys) shouldBe emptySet()
                settling.nextDue.shouldBeNull()
            }
        }
    }
})
