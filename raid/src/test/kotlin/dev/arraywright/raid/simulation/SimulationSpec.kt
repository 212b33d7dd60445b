package dev.arraywright.raid.simulation

import dev.arraywright.raid.array.io.PooledBuffers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe

/**
 * Arrays under random load, failures and power cuts; one seed, one story. Checked byte by byte are
 * - reads: the last acknowledged write, or one that was under way meanwhile, and the same again next time;
 * - power cuts: what a completed flush covers is there, or a later write; of the rest each sector is old or new;
 * - losses within tolerance, rebuilds, resyncs, adds, stale members that come back: nothing of it shows;
 * - at the end copies are equal and parity is right.
 *
 * What may be lost, and nothing else: with parity, after a power cut and until the resync has passed, the bytes of a
 * lost member in columns of stripes that had unflushed writes (the write hole, see [Holes]). Such an array is assembled
 * with a member missing only by force. Medium errors are not mixed with an unfinished resync for the same reason.
 *
 * Every other seed has a read cache before its array, to which all that applies as well ([SmallCache]).
 *
 * `-Darraywright.seed=N` replays one seed and tells its story, `-Darraywright.seeds=N` runs that many.
 */
class SimulationSpec : StringSpec({
    val buffers = PooledBuffers(256L shl 20)

    val only = System.getProperty("arraywright.seed")?.toLong()

    val tally = Tally()

    fun run(seed: Long): Long {
        val tell: (String) -> Unit = if (seed == only) ::println else { _ -> }
        val story = Simulation(seed, buffers, tell, tally, cached = seed % 2 == 0L)
        try {
            story.run()
            return story.trace
        } catch (wrong: Throwable) {
            throw AssertionError("$story; replay with -Dtest=SimulationSpec -Darraywright.seed=$seed", wrong)
        }
    }

    val seeds = System.getProperty("arraywright.seeds")?.toLong() ?: 2000

    "no story of ${if (only == null) "$seeds seeds" else "seed $only"} loses or changes a byte" {
        for (seed in if (only == null) 1..seeds else only..only) run(seed)
        buffers.inUse() shouldBe 0
        if (only == null) tally.cacheHits shouldBeGreaterThan seeds
    }

    "a seed tells the same story twice" {
        for (seed in 1L..20L) run(seed) shouldBe run(seed)
    }
})
