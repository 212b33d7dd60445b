package dev.arraywright.hardware.memory.balloon

import dev.arraywright.hardware.memory.BufferPool
import dev.arraywright.hardware.memory.pressure.MemoryMonitor
import dev.arraywright.hardware.memory.pressure.MemoryOptions
import dev.arraywright.hardware.memory.source.Sources
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import dev.arraywright.spi.memory.MemoryPressure
import dev.arraywright.spi.memory.MemoryPressure.Level
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeInRange
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runTest
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

private const val KIB = 1L shl 10

/** From a captured meminfo to a real pool, with all that lies between. */
@OptIn(ExperimentalCoroutinesApi::class)
class PressureToPoolSpec : StringSpec({
    "a pool gives back what the machine lacks, once, and has it again when that is over" {
        runTest {
            val root = TreeFixture.of("firecracker")
            val (sys, proc) = listOf("sys", "proc").map { SystemTree(root.resolve(it)) }

            fun available(kib: Long) {
                val meminfo = root.resolve("proc/meminfo")
                meminfo.writeText(meminfo.readText().replace(Regex("MemAvailable: +\\d+"), "MemAvailable: $kib"))
            }
            val dispatcher = StandardTestDispatcher(testScheduler)
            val options = MemoryOptions(reserve = 1000 * KIB)
            val time = testScheduler.timeSource
            val monitor = MemoryMonitor(coroutineContext, proc, options, time, dispatcher, {
                Sources.of(sys, proc, options, null, "it is a captured tree")
            })
            val driver = BalloonDriver(
                coroutineContext,
                monitor.pressure,
                {
                    // The machine has what the pool gave.
                    available(1300)
                    monitor.refresh()
                },
                BalloonOptions(),
                time,
                dispatcher,
                sys,
                proc,
                JvmCollector(),
                dispatcher,
            )
            BufferPool(4096 * KIB).use { pool ->
                driver.registerPressureHandler("buffers", 10, handler = PoolClient(pool))
                List(256) { pool.acquire(4096) }.forEach { it.close() }
                val rounds = ArrayList<PressureRound>()
                val collecting = launch { driver.rounds.collect { rounds += it } }
                advanceTimeBy(1.minutes)
                rounds.shouldBeEmpty()
                available(700)
                advanceTimeBy(3.seconds)
                rounds.map { it.pressure } shouldContainExactly
                    listOf(MemoryPressure(Level.LOW, 300 * KIB, "available"))
                rounds.single().released shouldBe 300 * KIB
                pool.stats().idle shouldBe 724 * KIB
                pool.idleLimit shouldBe 724 * KIB
                monitor.pressure.value shouldBe MemoryPressure(Level.LOW, 0, "available")
                advanceTimeBy(16.seconds)
                pool.idleLimit shouldBeInRange (1000 * KIB)..(2000 * KIB)
                advanceTimeBy(2.minutes)
                pool.idleLimit shouldBe Long.MAX_VALUE
                monitor.pressure.value shouldBe MemoryPressure.NONE
                rounds.size shouldBe 1
                collecting.cancel()
            }
            driver.close()
            monitor.close()
        }
    }
})
