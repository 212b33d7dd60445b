package dev.arraywright.raid.spare.pool

import dev.arraywright.raid.array.Progress
import dev.arraywright.raid.repair.RebuildKind
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.simulation.SeededDispatcher
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.launch
import kotlin.random.Random
import kotlin.time.Instant

private fun status(id: Int) = RebuildStatus(
    "r$id",
    "array",
    RebuildKind.REBUILD,
    0,
    null,
    "new$id",
    Progress(0, 1),
    0,
    Instant.fromEpochSeconds(0),
    null,
    RebuildPhase.WAITING,
)

/** A rebuild that runs until it is told to end. */
private class Fill(
    override var endangerment: Endangerment,
    val media: Set<String>,
    scope: CoroutineScope,
    queue: RebuildQueue,
    id: Int,
) : RebuildQueue.Entrant {
    var wanted = true
    var paused = false
    var running = false
    val end = CompletableDeferred<Unit>()
    val job: Job = scope.launch {
        queue.admission(this@Fill).turn(status(id)) {
            running = true
            try {
                if (wanted) end.await()
            } finally {
                running = false
            }
        }
    }
    val waiting get() = job.isActive && !running

    override fun wanted(status: RebuildStatus) = wanted

    override fun paused(status: RebuildStatus) = paused

    override fun media(status: RebuildStatus) = media
}

class RebuildQueueSpec : StringSpec({
    "the most endangered goes first, at the limit, and by what it is when a place becomes free" {
        val dispatcher = SeededDispatcher(Random(1))
        val scope = CoroutineScope(dispatcher + SupervisorJob())
        val queue = RebuildQueue { 1 }
        val first = Fill(Endangerment(2, 1), setOf("a"), scope, queue, 1)
        dispatcher.drain()
        val second = Fill(Endangerment(1, 1), setOf("b"), scope, queue, 2)
        val third = Fill(Endangerment(2, 1), setOf("c"), scope, queue, 3)
        dispatcher.drain()
        listOf(first, second, third).map { it.running } shouldBe listOf(true, false, false)
        third.endangerment = Endangerment(0, 2)
        queue.reconsider()
        first.end.complete(Unit)
        dispatcher.drain()
        listOf(second, third).map { it.running } shouldBe listOf(false, true)
        third.job.cancel()
        dispatcher.drain()
        second.running shouldBe true
        second.end.complete(Unit)
        dispatcher.drain()
    }

    "whatever happens, turns are within the limit, given to the most endangered, and none is withheld" {
        for (seed in 1L..400L) {
            withClue("seed $seed") {
                val random = Random(seed)
                val dispatcher = SeededDispatcher(random)
                val scope = CoroutineScope(dispatcher + SupervisorJob())
                var limit = 1 + random.nextInt(3)
                val queue = RebuildQueue { limit }
                val fills = ArrayList<Fill>()
                repeat(60) { step ->
                    val before = fills.filter { it.running }.toSet()
                    val some = fills.filter { it.job.isActive }.randomOrNull(random)
                    when (random.nextInt(8)) {
                        0, 1, 2 -> {
                            val media = List(2) { "m${random.nextInt(8)}" }.toSet()
                            fills += Fill(Endangerment(random.nextInt(3), 1), media, scope, queue, step)
                        }
                        3 -> some?.end?.complete(Unit)
                        4 -> some?.job?.cancel()
                        5 -> some?.endangerment = Endangerment(random.nextInt(3), 1 + random.nextInt(2))
                        6 -> some?.run { if (random.nextBoolean()) paused = !paused else wanted = false }
                        else -> limit = 1 + random.nextInt(3)
                    }
                    queue.reconsider()
                    dispatcher.drain()
                    val running = fills.filter { it.running }
                    val counted = running.filter { !it.paused }
                    val held = counted.count { it in before }
                    (counted.size <= maxOf(limit, held)) shouldBe true
                    running.flatMap { it.media }.let { it.distinct() shouldBe it }
                    val waiting = fills.filter { it.waiting && !it.paused }
                    waiting.filter { !it.wanted }.shouldBeEmpty()

                    fun blocked(fill: Fill) = running.any { other -> other.media.any { it in fill.media } }
                    if (counted.size < limit) waiting.filter { !blocked(it) }.shouldBeEmpty()
                    for (new in counted - before) {
                        waiting.filter { it.endangerment < new.endangerment && !blocked(it) }.shouldBeEmpty()
                    }
                }
                // All that wait get their turn in the end.
                for (fill in fills) {
                    fill.paused = false
                    fill.end.complete(Unit)
                }
                queue.reconsider()
                dispatcher.drain()
                fills.filter { it.job.isActive }.shouldBeEmpty()
            }
        }
    }
})
