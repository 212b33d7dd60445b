package dev.arraywright.kernel.driver.serve

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.TestTimeSource
import kotlin.time.TimeSource

class DriverMeterSpec : StringSpec({
    "figures are those of all calls, as sorting them gives: the quantiles to 4 %, the others exactly" {
        for (seed in 0..<50) {
            val random = Random(seed)
            val time = TestTimeSource()
            val meter = DriverMeter(time)
            val scale = random.nextLong(1_000, 1_000_000_000)
            val took = List(random.nextInt(1, 3_000)) {
                if (random.nextInt(20) == 0) random.nextLong(scale, scale * 50) else random.nextLong(0, scale)
            }
            took.forEach { meter.timed { time += it.nanoseconds } }
            val sorted = took.sorted()
            withClue("seed $seed, ${took.size} calls") {
                with(meter.figures) {
                    calls shouldBe took.size
                    maxLatency shouldBe sorted.last().nanoseconds
                    meanLatency shouldBe (took.sum() / took.size).nanoseconds
                    for ((q, told) in listOf(0.5 to p50, 0.99 to p99)) {
                        // Between two calls that are far apart, any value is as good as another.
                        val at = q * sorted.size
                        val low = sorted[(at - 1).toInt().coerceAtLeast(0)]
                        val high = sorted[at.toInt().coerceAtMost(sorted.lastIndex)]
                        told.inWholeNanoseconds shouldBeInRange (low * 0.96).toLong() - 32..(high * 1.04).toLong() + 32
                    }
                    (p50 <= p99 && p99 <= maxLatency) shouldBe true
                }
            }
        }
    }

    "no calls have no latency, and one has the same by each figure" {
        val time = TestTimeSource()
        val meter = DriverMeter(time)
        meter.figures shouldBe CallFigures()
        meter.timed { time += 700.microseconds }
        with(meter.figures) {
            maxLatency shouldBe 700.microseconds
            (p99 in 675.microseconds..700.microseconds && p50 <= p99) shouldBe true
        }
        meter.timed { time += Duration.ZERO }
        meter.figures.calls shouldBe 2
    }

    "what fails is counted and timed, and thrown on" {
        val time = TestTimeSource()
        val meter = DriverMeter(time)
        shouldThrow<IllegalStateException> {
            meter.counted {
                time += 5.microseconds
                error("no")
            }
        }.message shouldBe "no"
        meter.counted { 7 } shouldBe 7
        with(meter.figures) { listOf(calls, errors, maxLatency.inWholeMicroseconds) shouldBe listOf(2L, 1L, 5L) }
    }

    "no call is lost between threads" {
        val meter = DriverMeter(TimeSource.Monotonic)
        withContext(Dispatchers.Default) {
            List(4) { launch { repeat(20_000) { meter.timed {} } } }.joinAll()
        }
        meter.figures.calls shouldBe 80_000
        meter.figures.p99.isPositive() shouldBe true
    }
})
