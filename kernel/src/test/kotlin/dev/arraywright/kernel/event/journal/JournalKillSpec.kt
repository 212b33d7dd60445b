package dev.arraywright.kernel.event.journal

import dev.arraywright.kernel.event.event
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.runBlocking
import java.nio.file.Path
import kotlin.random.Random

/** A process that writes a journal is killed: what it said was on disk is there, and the next goes on behind it. */
class JournalKillSpec : StringSpec({
    timeout = 60_000

    "killed in the middle of writing, nothing that a flush covered is lost, and no number is missing" {
        val directory = tempdir().toPath()
        val random = Random(3)
        var covered = 0L
        repeat(3) { round ->
            val process = writing(directory)
            try {
                repeat(random.nextInt(20, 200)) {
                    covered = checkNotNull(process.inputReader().readLine()) { "the writer ended" }.toLong()
                }
            } finally {
                process.destroyForcibly().waitFor()
            }
            withClue("round $round") {
                val numbers = numbers(directory)
                numbers.last() shouldBeGreaterThanOrEqual covered
                numbers shouldBe (numbers.first()..numbers.last()).toList()
            }
        }
        EventJournal.open(directory).use { it.next shouldBe numbers(directory).last() + 1 }
    }
})

private fun writing(directory: Path): Process =
    ProcessBuilder(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-cp",
        System.getProperty("java.class.path"),
        "dev.arraywright.kernel.event.journal.JournalKillSpecKt",
        directory.toString(),
    ).redirectError(ProcessBuilder.Redirect.INHERIT).start()

fun main(arguments: Array<String>): Unit = runBlocking {
    val journal = EventJournal.open(Path.of(arguments.single()), JournalLimits(segmentBytes = 20_000))
    var next = journal.next
    while (true) {
        repeat(10) { journal.append(event(next++)) }
        check(journal.flush(LONG)) { "the disk takes nothing" }
        println(next - 1)
    }
}
