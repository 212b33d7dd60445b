package dev.arraywright.hardware.memory.pressure

import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import dev.arraywright.spi.memory.MemoryPressure
import dev.arraywright.spi.memory.MemoryPressure.Level
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class MemoryMonitorSpec : StringSpec({
    val proc = SystemTree(TreeFixture.of("server").resolve("proc"))

    fun TestScope.monitor(vararg sources: PressureSource, release: () -> Unit = {}) = MemoryMonitor(
        coroutineContext,
        proc,
        MemoryOptions(),
        testScheduler.timeSource,
        StandardTestDispatcher(testScheduler),
        { sources.toList() },
        release,
    )

    "pressure is told after the debounce, held, and over" {
        runTest {
            val source = FakeSource()
            monitor(source).use { monitor ->
                val seen = ArrayList<Pair<Long, MemoryPressure>>()
                val collector = launch { monitor.pressure.collect { seen += currentTime to it } }
                advanceTimeBy(10.minutes)
                source.demand = Demand("psi", Level.MEDIUM, Level.MEDIUM, 1000)
                source.wake()
                advanceTimeBy(2.seconds)
                source.demand = Demand.none("psi")
                advanceTimeBy(10.seconds)
                collector.cancel()
                seen.map { it.second } shouldContainExactly listOf(
                    MemoryPressure.NONE,
                    MemoryPressure(Level.MEDIUM, 1000, "psi"),
                    MemoryPressure(Level.MEDIUM, 0, "psi"),
                    MemoryPressure.NONE,
                )
                (seen[1].first - 600_000).toInt() shouldBeInRange 300..500
                (seen[3].first - seen[2].first).toInt() shouldBeInRange 5000..5100
            }
        }
    }

    "idle it looks once a second, and however often it is woken never more than every gap" {
        runTest {
            val source = FakeSource()
            monitor(source).use {
                advanceTimeBy(1.minutes)
                source.looks shouldBeInRange 59..61
                val before = source.looks
                repeat(1000) {
                    source.wake()
                    advanceTimeBy(1.milliseconds)
                }
                source.looks - before shouldBeInRange 9..12
            }
        }
    }

    "a monitor whose sources are all absent says why, and sleeps" {
        runTest {
            val source = FakeSource("there is no psi")
            monitor(source).use { monitor ->
                advanceTimeBy(24.hours)
                monitor.status.value shouldBe listOf(PressureSourceStatus("fake", false, "there is no psi"))
                monitor.pressure.value shouldBe MemoryPressure.NONE
                source.looks shouldBe 0
                monitor.refresh()
            }
        }
    }

    "a refresh returns once a look after the call is told" {
        runTest {
            val source = FakeSource()
            monitor(source).use { monitor ->
                source.demand = Demand("psi", Level.LOW, Level.LOW, 10)
                monitor.refresh()
                advanceTimeBy(1.seconds)
                monitor.pressure.value.bytesToRelease() shouldBe 10
                source.demand = source.demand.copy(bytes = 20)
                monitor.refresh()
                monitor.pressure.value.bytesToRelease() shouldBe 20
            }
        }
    }

    "close ends it, closes its sources once, and leaves nobody waiting" {
        runTest {
            val source = FakeSource()
            var released = 0
            val monitor = monitor(source) { released++ }
            monitor.status.first { it.isNotEmpty() }
            val waiting = launch { monitor.refresh() }
            monitor.close()
            monitor.close()
            waiting.join()
            monitor.refresh()
            runCurrent()
            source.closes shouldBe 1
            released shouldBe 1
        }
    }
})

/** A source that demands what it is told to. */
internal class FakeSource(private val absence: String? = null) : PressureSource {
    var demand = Demand.none("fake")
    var looks = 0
    var closes = 0
    var wake: () -> Unit = {}

    override val name: String get() = "fake"

    override fun open(wake: () -> Unit): PressureSourceStatus {
        this.wake = wake
        return PressureSourceStatus(name, absence == null, absence ?: "at work")
    }

    override fun look(moment: Moment): Demand {
        looks++
        return demand
    }

    override fun close() {
        closes++
    }
}
