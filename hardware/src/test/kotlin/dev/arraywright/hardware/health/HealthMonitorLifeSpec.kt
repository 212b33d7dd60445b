@file:OptIn(ExperimentalCoroutinesApi::class)

package dev.arraywright.hardware.health

import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.spi.device.DeviceHealth
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlin.io.path.listDirectoryEntries
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds

class HealthMonitorLifeSpec : StringSpec({
    fun TestScope.probe(source: HealthSource = HealthSource.NVME_LOG) = FakeProbe(source, clockOf { currentTime })

    fun devices(vararg ids: String) = MutableStateFlow<Collection<HealthTarget>>(ids.map { target(it) })

    "history and the life it predicts are there again after a restart" {
        val directory = scratchDirectory()

        fun TestScope.worn(used: Int): Pair<FakeProbe, HealthMonitor> {
            val probe = probe()
            probe.tell("a") { copy(percentageUsed = used) }
            return probe to monitorOf(devices("a"), listOf(probe), histories = directory)
        }
        runTest {
            val (probe, monitor) = worn(50)
            for (day in 0..60) {
                probe.tell("a") { copy(percentageUsed = 50 + day / 2) }
                advanceTimeBy(1.days)
            }
            monitor.reports.value.getValue("a").life!!.left.inWholeDays shouldBe 40
            monitor.close()
        }
        directory.listDirectoryEntries().size shouldBe 1
        runTest {
            advanceTimeBy(61.days)
            val (_, monitor) = worn(90)
            val seen = eventsOf(monitor)
            advanceTimeBy(6.seconds)
            val life = monitor.reports.value.getValue("a").life.shouldNotBeNull()
            (life.left in 15.days..25.days) shouldBe true
            monitor.reports.value.getValue("a").historyProblem.shouldBeNull()
            seen.filterIsInstance<HealthEvent.LifeLow>().single().trend shouldBe life
            monitor.predictedFailure("a").shouldNotBeNull() shouldContain "days of life left"
        }
        directory.listDirectoryEntries().single().writeText("something else altogether")
        runTest {
            advanceTimeBy(62.days)
            val (_, monitor) = worn(80)
            advanceTimeBy(6.seconds)
            monitor.reports.value.getValue("a").historyProblem.shouldNotBeNull() shouldContain "set aside"
            monitor.reports.value.getValue("a").life.shouldBeNull()
        }
    }

    "a history that cannot be kept is said so, and nothing else suffers" {
        runTest {
            val file = scratchDirectory().resolve("file").also { it.writeText("") }
            val probe = probe()
            probe.tell("a") { copy(temperature = 40) }
            val monitor = monitorOf(devices("a"), listOf(probe), histories = file)
            advanceTimeBy(6.seconds)
            monitor.health("a") shouldBe DeviceHealth.GOOD
            monitor.reports.value.getValue("a").historyProblem.shouldNotBeNull()
        }
    }

    "closed, it asks nobody and waits for nobody; twice is fine" {
        runTest {
            val probe = probe()
            probe.tell("a") { this }
            probe.hang("a")
            val parent = Job()
            val monitor = HealthMonitor(
                backgroundScope.coroutineContext + parent,
                devices("a"),
                listOf(probe),
                MutableStateFlow(HealthPolicy()),
                clockOf { currentTime },
                testTimeSource,
                io = StandardTestDispatcher(testScheduler),
            )
            advanceTimeBy(6.seconds)
            probe.asked["a"] shouldBe 1
            monitor.close()
            monitor.close()
            parent.children.toList().joinAll()
            val reports = monitor.reports.value
            probe.comeBack("a")
            advanceTimeBy(1.hours)
            monitor.check("a")
            probe.asked["a"] shouldBe 1
            monitor.reports.value shouldBe reports
        }
    }

    "it ends with its parent" {
        runTest {
            val probe = probe()
            probe.tell("a") { this }
            probe.hang("a")
            val parent = Job()
            HealthMonitor(
                backgroundScope.coroutineContext + parent,
                devices("a"),
                listOf(probe),
                MutableStateFlow(HealthPolicy()),
                clockOf { currentTime },
                testTimeSource,
                io = StandardTestDispatcher(testScheduler),
            )
            advanceTimeBy(6.seconds)
            parent.cancel()
            parent.join()
            probe.comeBack("a")
            advanceTimeBy(1.hours)
            probe.asked["a"] shouldBe 1
        }
    }

    "two probes of one source, or no devices, are what they are" {
        runTest {
            val probe = probe()
            shouldThrow<IllegalArgumentException> { monitorOf(devices(), listOf(probe, probe())) }
            val monitor = monitorOf(devices(), listOf(probe))
            advanceTimeBy(1.hours)
            monitor.reports.value.shouldBeEmpty()
        }
    }
})
