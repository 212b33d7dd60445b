package dev.arraywright.raid.array.intent

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThan

/** `-Darraywright.seed=N` replays one seed, `-Darraywright.seeds=N` runs that many. */
class IntentStorySpec : StringSpec({
    val only = System.getProperty("arraywright.seed")?.toLong()
    val seeds = System.getProperty("arraywright.seeds")?.toLong() ?: 400

    "in no story of ${if (only == null) "$seeds seeds" else "seed $only"} a clean chunk differs, whenever power goes" {
        val stories = (if (only == null) 1..seeds else only..only).map { seed ->
            try {
                IntentStory(seed).apply { run() }
            } catch (wrong: Throwable) {
                throw AssertionError("replay with -Dtest=IntentStorySpec -Darraywright.seed=$seed", wrong)
            }
        }
        if (only == null) {
            stories.sumOf { it.readded } shouldBeGreaterThan stories.size / 2
            stories.sumOf { it.cleared } shouldBeGreaterThan stories.size
            stories.sumOf { it.stale } shouldBeLessThan stories.size / 20
        }
        println(
            "${stories.size} stories, ${stories.sumOf {
                it.writes
            }} rounds, ${stories.sumOf { it.readded }} re-adds, " +
                "${stories.sumOf {
                    it.cleared
                }} clean chunks and ${stories.sumOf { it.stale }} stale bitmaps at starts",
        )
    }
})
