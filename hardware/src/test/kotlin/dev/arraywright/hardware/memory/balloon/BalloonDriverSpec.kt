package dev.arraywright.hardware.memory.balloon

import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import dev.arraywright.spi.memory.MemoryPressure
import dev.arraywright.spi.memory.MemoryPressure.Level
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class BalloonDriverSpec : StringSpec({
    "the least harm first, each for its share, and no more than is missing" {
        machine {
            val asks = ArrayList<String>()

            fun client(name: String, order: Int, share: Int, most: Long) =
                driver.registerPressureHandler(name, order, share) { ask ->
                    asks += "$name ${ask.bytes}"
                    minOf(ask.bytes, most)
                }
            client("cache", 20, 1, 1000)
            client("large pool", 10, 3, 1000)
            client("small pool", 10, 1, 10)
            client("never", 30, 1, 1000)
            press(Level.MEDIUM, 400)
            // The small pool gives 10 of its 100; the large one gave all it was asked for, and gives the rest as well.
            asks shouldContainExactly listOf("large pool 300", "small pool 100", "large pool 90")
            last().released shouldBe 400
            asks.clear()
            press(Level.MEDIUM, 5000)
            advance(3.seconds)
            asks.take(5) shouldContainExactly
                listOf("large pool 3750", "small pool 1250", "cache 3990", "never 2990", "large pool 3750")
        }
    }

    "handlers that fail, hang or block are told of and never stop the others" {
        machine {
            driver.registerPressureHandler("fails", 1) { error("broken") }
            driver.registerPressureHandler("cancels", 1) { throw CancellationException("of its own") }
            driver.registerPressureHandler("hangs", 1) { awaitCancellation() }
            var stuck = 0
            driver.registerPressureHandler("stuck", 1) {
                stuck++
                withContext(NonCancellable) { delay(5.minutes) }
                1
            }
            driver.registerPressureHandler("good", 1) { it.bytes }
            press(Level.LOW, 500)
            advance(10.seconds)
            val first = rounds.first()
            first.releases.associate { it.name to it.failure?.substringBefore(":") } shouldBe mapOf(
                "fails" to "java.lang.IllegalStateException",
                "cancels" to "java.util.concurrent.CancellationException",
                "hangs" to "no answer within 500ms",
                "stuck" to "no answer within 500ms",
                "good" to null,
            )
            first.released shouldBe 500
            rounds[1].releases.first { it.name == "stuck" }.failure!! shouldContain "earlier call"
            stuck shouldBe 1
            advance(6.minutes)
            stuck shouldBeInRange 2..3
        }
    }

    "one round after another while pressure lasts, ever less often where nothing is left" {
        machine {
            var running = 0
            var most = 0
            driver.registerPressureHandler("slow", 1) {
                most = maxOf(most, ++running)
                delay(400.milliseconds)
                running--
                0
            }
            press(Level.LOW, 100)
            repeat(200) {
                press(if (it % 2 == 0) Level.CRITICAL else Level.LOW, 100L + it)
                advance(10.milliseconds)
            }
            most shouldBe 1
            press(Level.LOW, 50)
            val before = rounds.size
            advance(10.minutes)
            rounds.size - before shouldBeInRange 36..45
        }
    }

    "what is asked, released, reported and confirmed is in the event, for late subscribers too" {
        machine {
            driver.registerPressureHandler("pool", 1) {
                status(200_000)
                driver.reportMemoryReleased(5)
                42
            }
            status(262_144)
            press(Level.LOW, 100)
            val round = last()
            round.number shouldBe 1
            round.asked shouldBe 100
            round.released shouldBe 47
            round.confirmed shouldBe (262_144L - 200_000) * 1024
            round.releases shouldContainExactly listOf(Release("pool", 1, 100, 42))
            round.heap.shouldBeNull()
            driver.rounds.replayCache shouldContainExactly listOf(round)
        }
    }

    "the heap is collected only when it is critical and not enough was given, and not all the time" {
        machine {
            driver.registerPressureHandler("pool", 1) { if (it.level == Level.CRITICAL) 0 else it.bytes }
            press(Level.MEDIUM, 100)
            collector.calls shouldBe 0
            press(Level.CRITICAL, 100)
            collector.calls shouldBe 1
            last().heap.shouldNotBeNull().collected shouldBe true
            advance(50.seconds)
            collector.calls shouldBe 1
            advance(1.minutes)
            collector.calls shouldBe 2
        }
        machine(BalloonOptions(collectHeap = false)) {
            press(Level.CRITICAL, 100)
            collector.calls shouldBe 0
        }
    }

    "when it is over clients grow back in steps, the most harmed first, and stop at the first sign of pressure" {
        machine {
            val steps = ArrayList<Pair<Long, String>>()

            fun client(name: String, order: Int, count: Int, gives: Long) = driver.registerPressureHandler(
                name,
                order,
                handler = Growing(count, gives) { steps += scope.currentTime / 1000 to name },
            )
            client("pool", 1, 2, 50)
            client("cache", 2, 1, 100)
            client("untouched", 3, 1, 100)
            val start = scope.currentTime / 1000
            press(Level.LOW, 100)
            press(Level.NONE, 0)
            advance(9.seconds)
            steps.shouldBeEmpty()
            advance(1.minutes)
            steps.map { it.second } shouldContainExactly listOf("cache", "pool", "pool")
            steps.map { it.first - start } shouldContainExactly listOf(11, 16, 21)
        }
    }

    "who was pressed right after growing grows more slowly the next time" {
        machine {
            val steps = ArrayList<Long>()
            driver.registerPressureHandler("pool", 1, handler = Growing(1000, 100) { steps += scope.currentTime })
            press(Level.LOW, 100)
            press(Level.NONE, 0)
            advance(12.seconds)
            steps.size shouldBe 1
            press(Level.LOW, 100)
            press(Level.NONE, 0)
            advance(30.seconds)
            steps[2] - steps[1] shouldBe 10_000
        }
    }

    "a level without bytes asks for nothing, but nobody grows" {
        machine {
            driver.registerPressureHandler("pool", 1, handler = Growing(9, 100) { error("no growth") })
            press(Level.LOW, 0)
            advance(1.hours)
            rounds.shouldBeEmpty()
        }
    }

    "who is no longer registered is not asked, and nobody is once it is closed" {
        machine {
            var asked = 0
            val registration = driver.registerPressureHandler("pool", 1) { asked++.toLong() }
            press(Level.LOW, 10)
            registration.close()
            registration.close()
            press(Level.LOW, 20)
            advance(1.minutes)
            asked shouldBe 1
            driver.close()
            driver.close()
            val before = rounds.size
            press(Level.CRITICAL, 30)
            rounds.size shouldBe before
            shouldThrow<IllegalStateException> { driver.registerPressureHandler("late", 1) { 0 } }
        }
    }

    "it is of use to others in a guest with a balloon or with a limit, and says else why not" {
        machine(tree = "kvm") { driver.absence.shouldBeNull() }
        machine(tree = "firecracker") { driver.isAvailable shouldBe true }
        machine(tree = "server") { driver.absence!! shouldContain "no limit from fs/cgroup/system.slice/" }
        machine(tree = "container") { driver.absence!! shouldContain "cgroup v2 is not mounted" }
    }
})

private class Growing(private var left: Int, private val gives: Long, private val step: () -> Unit) : PressureHandler {
    override suspend fun release(ask: PressureAsk): Long = minOf(ask.bytes, gives)

    override suspend fun relax(): Boolean {
        step()
        return --left <= 0
    }
}

private class CountingCollector : HeapCollector {
    var calls = 0

    override fun collect(): HeapRelease = HeapRelease(true, "collected", 100, 50).also { calls++ }
}

@OptIn(ExperimentalCoroutinesApi::class)
private class Machine(val scope: TestScope, options: BalloonOptions, tree: String) {
    private val root = TreeFixture.of(tree)
    private val pressure = MutableStateFlow(MemoryPressure.NONE)
    private val dispatcher = StandardTestDispatcher(scope.testScheduler)
    val collector = CountingCollector()
    val rounds = ArrayList<PressureRound>()
    val driver = BalloonDriver(
        scope.coroutineContext,
        pressure,
        {},
        options,
        scope.testScheduler.timeSource,
        dispatcher,
        SystemTree(root.resolve("sys")),
        SystemTree(root.resolve("proc")),
        collector,
        dispatcher,
    )
    private val collecting = scope.launch { driver.rounds.collect { rounds += it } }

    fun press(level: Level, bytes: Long) {
        pressure.value = if (level == Level.NONE) MemoryPressure.NONE else MemoryPressure(level, bytes, "psi")
        scope.runCurrent()
    }

    fun advance(time: kotlin.time.Duration) = scope.advanceTimeBy(time)

    fun last(): PressureRound = rounds.last()

    fun status(kib: Int) = root.resolve("proc/self/status").writeText("Name:\tjava\nVmRSS:\t$kib kB\n")

    fun close() {
        driver.close()
        collecting.cancel()
    }
}

private fun machine(
    options: BalloonOptions = BalloonOptions(),
    tree: String = "server",
    test: suspend Machine.() -> Unit,
) =
    runTest {
        Machine(this, options, tree).run {
            test()
            close()
        }
    }
