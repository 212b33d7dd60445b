@file:OptIn(ExperimentalCoroutinesApi::class)

package dev.arraywright.hardware.health

import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceHealth.Status
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.maps.shouldBeEmpty
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class HealthMonitorSpec : StringSpec({
    fun TestScope.probe(source: HealthSource = HealthSource.NVME_LOG) = FakeProbe(source, clockOf { currentTime })

    fun devices(vararg ids: String) = MutableStateFlow<Collection<HealthTarget>>(ids.map { target(it) })

    "devices are looked at within 5 s, then every 5 min, and every 30 s while there is something against them" {
        runTest {
            val probe = probe()
            probe.tell("a") { copy(temperature = 40) }
            val monitor = monitorOf(devices("a"), listOf(probe))
            monitor.health("a") shouldBe DeviceHealth.UNKNOWN
            advanceTimeBy(6.seconds)
            monitor.health("a") shouldBe DeviceHealth.GOOD
            advanceTimeBy(20.minutes)
            probe.asked["a"] shouldBe 5
            probe.tell("a") { copy(temperature = 75) }
            advanceTimeBy(5.minutes)
            val before = probe.asked.getValue("a")
            monitor.health("a").status() shouldBe Status.WARNING
            advanceTimeBy(5.minutes)
            probe.asked["a"] shouldBe before + 10
        }
    }

    "a thousand devices are not looked at all at once" {
        runTest {
            val probe = probe()
            val ids = (1..1000).map { "disk number $it" }
            ids.forEach { id -> probe.tell(id) { this } }
            monitorOf(
                MutableStateFlow(
                    ids.map {
                        HealthTarget(it, "/dev/x", HealthTarget.Kind.NVME, "x")
                    },
                ),
                listOf(probe),
            )
            repeat(5) { second ->
                advanceTimeBy(1.seconds)
                runCurrent()
                (probe.asked.size in (second + 1) * 100..(second + 1) * 300) shouldBe true
            }
            probe.asked.size shouldBe 1000
        }
    }

    "a threshold that is crossed is told once, whoever looks how often" {
        runTest {
            val probe = probe()
            probe.tell("a") { copy(temperature = 40) }
            val monitor = monitorOf(devices("a"), listOf(probe))
            val seen = eventsOf(monitor)
            runCurrent()
            monitor.check("a")
            probe.tell("a") { copy(temperature = 82, criticalWarning = setOf(CriticalWarning.TEMPERATURE)) }
            repeat(3) { monitor.check("a") }
            runCurrent()
            seen.map { it::class.simpleName } shouldBe listOf("CriticallyWarned", "TemperatureHigh")
            seen.filterIsInstance<HealthEvent.TemperatureHigh>().single().celsius shouldBe 82
            probe.tell("a") { copy(temperature = 75) }
            monitor.check("a")
            runCurrent()
            probe.tell("a") { copy(temperature = 85) }
            monitor.check("a")
            runCurrent()
            probe.tell("a") { copy(temperature = 40) }
            monitor.check("a")
            runCurrent()
            seen.drop(2).map { it::class.simpleName } shouldBe listOf("Recovered", "Eased", "Worsened", "Recovered")
            seen.last().shouldBeInstanceOf<HealthEvent.Recovered>().healthy shouldBe true
        }
    }

    "a late subscriber is told what is against devices now, then what changes" {
        runTest {
            val probe = probe()
            probe.tell("a") { copy(percentageUsed = 95, pendingSectors = 3) }
            probe.tell("b") { copy(temperature = 20) }
            val monitor = monitorOf(devices("a", "b"), listOf(probe))
            advanceTimeBy(1.hours)
            val seen = eventsOf(monitor)
            runCurrent()
            seen.map { it.id to (it as HealthEvent.Warned).finding.concern } shouldContainExactly
                listOf("a" to HealthConcern.WEAR, "a" to HealthConcern.PENDING_SECTORS)
            monitor.predictedFailure("a").shouldNotBeNull() shouldContain "3 sectors that cannot be read"
            monitor.predictedFailure("b").shouldBeNull()
        }
    }

    "what is hot is warned of, but not predicted to fail" {
        runTest {
            val probe = probe()
            probe.tell("a") { copy(temperature = 71) }
            val monitor = monitorOf(devices("a"), listOf(probe))
            runCurrent()
            monitor.check("a")!!.health.status() shouldBe Status.WARNING
            monitor.predictedFailure("a").shouldBeNull()
        }
    }

    "a device that hangs is suspect and stale, costs one call, and holds up no other" {
        runTest {
            val probe = probe()
            for (id in listOf("a", "b")) probe.tell(id) { copy(temperature = 40) }
            val monitor = monitorOf(devices("a", "b"), listOf(probe))
            val seen = eventsOf(monitor)
            advanceTimeBy(10.seconds)
            probe.hang("a")
            advanceTimeBy(1.hours)
            val report = monitor.reports.value.getValue("a")
            report.health.status() shouldBe Status.SUSPECT
            report.stale shouldBe true
            report.reading!!.temperature shouldBe 40
            report.failed.getValue(HealthSource.NVME_LOG) shouldContain "still does not answer"
            probe.asked["a"] shouldBe 2
            probe.asked["b"] shouldBe 13
            monitor.health("b") shouldBe DeviceHealth.GOOD
            probe.comeBack("a")
            advanceTimeBy(1.minutes)
            monitor.health("a") shouldBe DeviceHealth.GOOD
            monitor.reports.value.getValue("a").stale shouldBe false
            seen.map { it::class.simpleName } shouldBe listOf("ReadFailed", "Recovered")
            probe.overlaps.shouldBeEmpty()
        }
    }

    "a probe that throws has failed, with what it said" {
        runTest {
            val probe = object : HealthProbe {
                override val source = HealthSource.SMARTCTL

                override suspend fun read(target: HealthTarget): ProbeAnswer = error("the probe is broken")
            }
            val monitor = monitorOf(devices("a"), listOf(probe))
            runCurrent()
            monitor.check("a")!!.failed shouldBe mapOf(HealthSource.SMARTCTL to "the probe is broken")
        }
    }

    "of the device's own word the first is enough, and the others say why they were not asked" {
        runTest {
            val (log, tool, kernel) = listOf(
                HealthSource.NVME_LOG,
                HealthSource.SMARTCTL,
                HealthSource.KERNEL,
            ).map(::probe)
            log.tell("a") { copy(temperature = 40) }
            tool.tell("a") { copy(temperature = 39, percentageUsed = 3) }
            kernel.tell("a") { copy(ioErrors = 0) }
            val monitor = monitorOf(devices("a"), listOf(log, tool, kernel))
            runCurrent()
            monitor.check("a")!!.run {
                reading!!.sources shouldBe setOf(HealthSource.NVME_LOG, HealthSource.KERNEL)
                reading.temperature shouldBe 40
                absent shouldBe mapOf(HealthSource.SMARTCTL to "not needed: NVME_LOG tells")
            }
            log.answer("a", ProbeAnswer.Absent("needs root"))
            monitor.check("a")!!.run {
                reading!!.temperature shouldBe 39
                reading.sources shouldBe setOf(HealthSource.SMARTCTL, HealthSource.KERNEL)
                absent shouldBe mapOf(HealthSource.NVME_LOG to "needs root")
            }
            log.tell("a") { copy(temperature = 41) }
            monitor.check("a")
            log.answer("a", ProbeAnswer.Failed("link down"))
            monitor.check("a")!!.run {
                reading!!.temperature shouldBe 39
                stale shouldBe true
                failed shouldBe mapOf(HealthSource.NVME_LOG to "link down")
            }
        }
    }

    "a device that nobody can ask is unknown, and says why" {
        runTest {
            val probe = probe()
            probe.answer("a", ProbeAnswer.Absent("smartctl is not installed"))
            val monitor = monitorOf(devices("a"), listOf(probe))
            runCurrent()
            monitor.check("a")!!.health shouldBe DeviceHealth(Status.UNKNOWN, "smartctl is not installed")
        }
    }

    "another policy judges what is known at once" {
        runTest {
            val probe = probe()
            probe.tell("a") { copy(temperature = 60) }
            val policy = MutableStateFlow(HealthPolicy())
            val monitor = monitorOf(devices("a"), listOf(probe), policy)
            advanceTimeBy(6.seconds)
            policy.value = HealthPolicy(temperatureWarning = 50)
            runCurrent()
            monitor.health("a").detail() shouldBe "60 C, limit 50 C"
            probe.asked["a"] shouldBe 1
            policy.value = HealthPolicy()
            runCurrent()
            monitor.health("a") shouldBe DeviceHealth.GOOD
        }
    }

    "a device that goes is forgotten, though it hangs, and one that comes is watched" {
        runTest {
            val probe = probe()
            probe.tell("a") { copy(percentageUsed = 95) }
            probe.tell("b") { this }
            val targets = devices("a")
            val monitor = monitorOf(targets, listOf(probe))
            val seen = eventsOf(monitor)
            advanceTimeBy(6.seconds)
            probe.hang("a")
            val checking = launch { monitor.check("a") }
            runCurrent()
            targets.value = listOf(target("b"))
            advanceTimeBy(1.minutes)
            checking.join()
            monitor.reports.value.keys shouldBe setOf("b")
            monitor.health("b") shouldBe DeviceHealth.GOOD
            monitor.check("a").shouldBeNull()
            seen.last() shouldBe HealthEvent.Forgotten("a")
        }
    }

    "a slow subscriber holds nobody up, and is told what became of it" {
        runTest {
            val probe = probe()
            probe.tell("a") { copy(temperature = 75) }
            val monitor = monitorOf(devices("a"), listOf(probe))
            val slow = ArrayList<HealthEvent>()
            val gate = Job()
            backgroundScope.launch {
                monitor.events.collect {
                    slow += it
                    gate.join()
                }
            }
            advanceTimeBy(6.seconds)
            for (temperature in listOf(40, 90, 40, 72)) {
                probe.tell("a") { copy(temperature = temperature) }
                monitor.check("a")
                advanceTimeBy(1.milliseconds)
            }
            gate.complete()
            runCurrent()
            slow.map { it::class.simpleName } shouldBe listOf("TemperatureHigh", "Recovered", "TemperatureHigh")
        }
    }
})
