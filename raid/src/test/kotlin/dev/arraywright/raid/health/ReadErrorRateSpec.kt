package dev.arraywright.raid.health

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TestTimeSource

class ReadErrorRateSpec : StringSpec({
    "the failure after the limit, within the window, is one too many" {
        val time = TestTimeSource()
        val rate = ReadErrorRate(time)
        repeat(10) { rate.failed() shouldBe false }
        rate.failed() shouldBe true
        time += 11.minutes
        rate.recent shouldBe 0
        rate.failed() shouldBe false
        rate.clear()
        rate.recent shouldBe 0
    }

    "limits are live, and memory is bounded by them" {
        val time = TestTimeSource()
        var limit = 2
        var window = 10.seconds
        val rate = ReadErrorRate(time, { limit }, { window })
        repeat(100_000) { rate.failed() }
        rate.recent shouldBe 3
        limit = 3
        rate.failed() shouldBe true
        limit = 100
        rate.failed() shouldBe false
        limit = 0
        rate.failed() shouldBe true
        time += 2.seconds
        window = 1.seconds
        rate.recent shouldBe 0
    }

    "it agrees with counting them all" {
        for (seed in 1L..50L) {
            val random = Random(seed)
            val time = TestTimeSource()
            val rate = ReadErrorRate(time, { 4 }, { 30.seconds })
            val start = time.markNow()
            val all = ArrayList<Long>()
            repeat(200) {
                time += random.nextInt(15).seconds
                val now = start.elapsedNow().inWholeSeconds
                all += now
                rate.failed() shouldBe (all.count { it >= now - 30 } > 4)
            }
        }
    }
})
