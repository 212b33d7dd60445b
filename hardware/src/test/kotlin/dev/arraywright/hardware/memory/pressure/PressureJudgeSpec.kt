package dev.arraywright.hardware.memory.pressure

import dev.arraywright.spi.memory.MemoryPressure
import dev.arraywright.spi.memory.MemoryPressure.Level
import dev.arraywright.spi.memory.MemoryPressure.Level.CRITICAL
import dev.arraywright.spi.memory.MemoryPressure.Level.LOW
import dev.arraywright.spi.memory.MemoryPressure.Level.MEDIUM
import dev.arraywright.spi.memory.MemoryPressure.Level.NONE
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.arbitrary.numericDouble
import io.kotest.property.arbitrary.pair
import io.kotest.property.checkAll
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

private const val RESERVE = 1200L
private const val BAND = 0.25

class PressureJudgeSpec : StringSpec({
    val judge = PressureJudge(300.milliseconds, 5_000.milliseconds)

    fun demand(available: Long) = Demand.ofShortfall("available", available, RESERVE, BAND)

    /** What is told after each step of (milliseconds since the last, bytes available). */
    fun told(steps: List<Pair<Int, Long>>): List<MemoryPressure> {
        var judgement = Judgement.NONE
        var now = Duration.ZERO
        return steps.map { (step, available) ->
            now += step.milliseconds
            judgement = judge.judge(judgement, listOf(demand(available)), now)
            judgement.pressure
        }
    }

    fun levels(vararg steps: Pair<Int, Long>) = told(steps.toList()).map { it.level() }

    val steps = Arb.list(Arb.pair(Arb.int(1..3000), Arb.long(-200L..2000L)), 1..40)

    "what is missing of the reserve makes the level and the bytes" {
        val below = listOf(1200L, 1199, 799, 399, -5).map(::demand)
        below.map { it.level } shouldContainExactly listOf(NONE, LOW, MEDIUM, CRITICAL, CRITICAL)
        below.map { it.bytes } shouldContainExactly listOf(0, 1, 401, 801, 1205)
        below.map { it.floor } shouldContainExactly listOf(LOW, LOW, MEDIUM, CRITICAL, CRITICAL)
        demand(1500).floor shouldBe NONE
    }

    "less memory never makes a demand lower, nor more stalls" {
        checkAll(Arb.long(-3000L..3000L), Arb.long(0L..3000L)) { available, less ->
            val (more, fewer) = demand(available) to demand(available - less)
            fewer.level shouldBeGreaterThanOrEqualTo more.level
            fewer.floor shouldBeGreaterThanOrEqualTo more.floor
            fewer.bytes shouldBeGreaterThanOrEqual more.bytes
        }
        checkAll(Arb.numericDouble(0.0, 1.0), Arb.numericDouble(0.0, 1.0)) { share, more ->
            val (some, worse) = listOf(share, share + more).map { Demand.ofStall("psi", it, 0.075, 1000) }
            worse.level shouldBeGreaterThanOrEqualTo some.level
            worse.bytes shouldBeGreaterThanOrEqual some.bytes
        }
    }

    "a blip does nothing, what lasts is told, and only its least level at first" {
        levels(0 to 100, 299 to 2000, 10 to 100, 299 to 100) shouldContainExactly List(4) { NONE }
        levels(0 to 100, 300 to 100) shouldContainExactly listOf(NONE, CRITICAL)
        levels(0 to 1000, 200 to 100, 100 to 100, 200 to 100) shouldContainExactly listOf(NONE, NONE, LOW, CRITICAL)
    }

    "a level goes down only once better has lasted, and asks for nothing while it is held" {
        val told = told(listOf(0 to 100L, 300 to 100L, 1000 to 1600L, 4999 to 1600L, 1 to 1600L))
        told.map { it.level() } shouldContainExactly listOf(NONE, CRITICAL, CRITICAL, CRITICAL, NONE)
        told.map { it.bytesToRelease() } shouldContainExactly listOf(0, 1100, 0, 0, 0)
        told[3].source() shouldBe "available"
        told[4] shouldBe MemoryPressure.NONE
    }

    "a demand that wavers within its band never moves the level" {
        checkAll(Arb.list(Arb.pair(Arb.int(1..9000), Arb.long(1200L..1499L)), 1..40)) { wavering ->
            told(wavering).forEach { it.level() shouldBe NONE }
            told(listOf(0 to 1000L, 300 to 1000L) + wavering).drop(1).forEach { it.level() shouldBe LOW }
        }
    }

    "less memory at each moment never makes the level told lower" {
        checkAll(steps, Arb.list(Arb.long(0L..1000L), 40..40)) { trace, less ->
            val worse = trace.mapIndexed { i, (step, available) -> step to available - less[i] }
            told(trace).zip(told(worse)).forEach { (a, b) -> b.level() shouldBeGreaterThanOrEqualTo a.level() }
        }
    }

    "it tells what the model tells, and NONE has no bytes and no source" {
        checkAll(steps) { trace ->
            val told = told(trace)
            told.map { it.level() } shouldBe Model.levels(trace)
            told.filter { it.level() == NONE }.forEach { it shouldBe MemoryPressure.NONE }
        }
    }

    "of several demands the worst names the source, the largest the bytes" {
        val demands = listOf(Demand("psi", CRITICAL, CRITICAL, 10), Demand("cgroup", LOW, LOW, 50), Demand.none("x"))
        val first = judge.judge(Judgement.NONE, demands, Duration.ZERO)
        first.recheck shouldBe 300.milliseconds
        val second = judge.judge(first, demands, 300.milliseconds)
        second.pressure shouldBe MemoryPressure(CRITICAL, 50, "psi")
        second.recheck.shouldBeNull()
    }
})

/** The same by looking back at all that was, level by level: as long as it is obvious. */
private object Model {
    fun levels(trace: List<Pair<Int, Long>>): List<Level> {
        var time = 0
        val times = trace.map { (step, _) -> (time + step).also { time = it } }
        return trace.indices.map { now ->
            listOf(CRITICAL to 400L, MEDIUM to 800L, LOW to 1200L).find {
                isOpen(trace, times, now, it.second)
            }?.first ?: NONE
        }
    }

    private fun isOpen(trace: List<Pair<Int, Long>>, times: List<Int>, now: Int, bound: Long): Boolean {
        var open = false
        var from = 0
        for (i in 0..now) {
            val available = trace[i].second
            val against = if (open) available >= bound * (1 + BAND) else available < bound
            if (!against) {
                from = i + 1
            } else if (times[i] - times[from] >= if (open) 5000 else 300) {
                open = !open
                from = i + 1
            }
        }
        return open
    }
}
