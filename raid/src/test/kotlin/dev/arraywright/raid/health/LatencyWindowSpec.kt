package dev.arraywright.raid.health

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TestTimeSource

class LatencyWindowSpec : StringSpec({
    "quantiles are of the latest calls, and none are of none" {
        val window = LatencyWindow(TestTimeSource(), size = 101)
        window.quantile(0.5) shouldBe null
        window.summary() shouldBe MemberLatency(0, Duration.ZERO)
        repeat(500) { window.add(1.seconds) }
        for (each in 100 downTo 0) window.add(each.milliseconds)
        window.summary() shouldBe MemberLatency(101, 50.milliseconds)
        window.quantile(0.0) shouldBe 0.milliseconds
        window.quantile(0.99) shouldBe 99.milliseconds
        window.quantile(1.0) shouldBe 100.milliseconds
        window.clear()
        window.quantile(0.5) shouldBe null
    }

    "an old call does not count" {
        val time = TestTimeSource()
        val window = LatencyWindow(time, age = 10.seconds)
        window.add(5.milliseconds)
        time += 6.seconds
        window.add(1.milliseconds)
        window.summary() shouldBe MemberLatency(2, 1.milliseconds)
        time += 6.seconds
        window.summary() shouldBe MemberLatency(1, 1.milliseconds)
        time += 6.seconds
        window.summary().samples shouldBe 0
    }

    "many threads may add" {
        val window = LatencyWindow(TestTimeSource(), size = 1000)
        coroutineScope {
            repeat(4) { launch(Dispatchers.Default) { repeat(250) { window.add(3.milliseconds) } } }
        }
        window.summary() shouldBe MemberLatency(1000, 3.milliseconds)
    }
})
