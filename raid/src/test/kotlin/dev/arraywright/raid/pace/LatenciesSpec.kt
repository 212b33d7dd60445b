package dev.arraywright.raid.pace

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.doubles.plusOrMinus
import io.kotest.matchers.shouldBe
import kotlin.math.exp
import kotlin.random.Random

class LatenciesSpec : StringSpec({
    "buckets follow one another without gaps, and each holds its own lower bound" {
        for (bucket in 0 until Latencies.BUCKETS) {
            withClue(bucket) {
                Latencies.bucket(Latencies.lower(bucket)) shouldBe bucket
                Latencies.bucket(Latencies.lower(bucket + 1) - 1) shouldBe bucket
            }
        }
        Latencies.bucket(Long.MAX_VALUE) shouldBe Latencies.BUCKETS - 1
        Latencies.bucket(-1) shouldBe 0
    }

    "a snapshot leaves what was counted where it is" {
        val recorder = LatencyRecorder()
        recorder.snapshot().total shouldBe 0.0
        repeat(99) { recorder.add(1_000_000) }
        recorder.add(50_000_000)
        repeat(2) {
            with(recorder.snapshot()) {
                total shouldBe 100.0
                quantile(0.5) shouldBe (1e6 plusOrMinus 4e4)
                quantile(0.999) shouldBe (5e7 plusOrMinus 2e6)
            }
        }
    }

    "quantiles are within 4 % of those of the sorted values" {
        for (seed in 1L..20L) {
            val random = Random(seed)
            val recorder = LatencyRecorder()
            val values = List(5000) { exp(10 + 8 * random.nextDouble()).toLong() }.sorted()
            values.forEach(recorder::add)
            val latencies = Latencies()
            recorder.drainTo(latencies)
            latencies.total shouldBe 5000.0
            for (q in listOf(0.01, 0.5, 0.9, 0.99)) {
                withClue("seed $seed, quantile $q") {
                    val exact = values[(q * 5000).toInt()].toDouble()
                    latencies.quantile(q) shouldBe (exact plusOrMinus exact * 0.04)
                    latencies.above(latencies.quantile(q)) shouldBe ((1 - q) * 5000 plusOrMinus 0.01)
                }
            }
            recorder.drainTo(latencies)
            latencies.total shouldBe 5000.0
        }
    }

    "what was scaled down counts less" {
        val old = Latencies()
        repeat(100) { old.add(Latencies.bucket(1_000_000), 1.0) }
        val new = Latencies()
        repeat(100) { new.add(Latencies.bucket(9_000_000), 1.0) }
        old.scale(0.1)
        old.add(new)
        old.total shouldBe (110.0 plusOrMinus 1e-6)
        old.quantile(0.05) shouldBe (1e6 plusOrMinus 4e4)
        old.quantile(0.2) shouldBe (9e6 plusOrMinus 4e5)
    }
})
