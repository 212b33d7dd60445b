@file:OptIn(ExperimentalCoroutinesApi::class)

package dev.arraywright.hardware.health

import dev.arraywright.hardware.health.HealthConcern.SPARE
import dev.arraywright.hardware.health.HealthConcern.TEMPERATURE
import dev.arraywright.hardware.health.HealthConcern.UNREADABLE
import dev.arraywright.hardware.health.HealthConcern.WARNS_OF_READ_ONLY
import dev.arraywright.hardware.health.HealthConcern.WARNS_OF_SPARE
import dev.arraywright.hardware.health.HealthConcern.WEAR
import dev.arraywright.hardware.health.HealthSeverity.FAILED
import dev.arraywright.hardware.health.HealthSeverity.FAILING
import dev.arraywright.hardware.health.HealthSeverity.WARNING
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

private typealias Held = Map<HealthConcern, HealthSeverity>

/** What a device ought to be told of, by a reading of three figures and rules written out anew. */
private class ModelDevice(val id: String) {
    var celsius = 40
    var used = 10
    var spare = 100
    var warnings = emptySet<CriticalWarning>()
    var mode = Mode.ANSWERS

    private var read: List<Any>? = null
    private var unread = false
    var held: Held = emptyMap()
    val told = ArrayList<String>()

    enum class Mode { ANSWERS, FAILS, HANGS, ABSENT }

    fun looked(policy: HealthPolicy) {
        unread = mode == Mode.FAILS || mode == Mode.HANGS
        if (mode == Mode.ANSWERS) read = listOf(celsius, used, spare, warnings)
        if (mode == Mode.ABSENT) read = null
        judged(policy)
    }

    fun judged(policy: HealthPolicy) {
        val next = sortedMapOf<HealthConcern, HealthSeverity>()
        read?.let { (celsius, used, spare, warnings) ->
            celsius as Int
            val was = held[TEMPERATURE]
            val back = policy.temperatureHysteresis
            val critical = celsius >= policy.temperatureCritical ||
                (was == FAILING && celsius > policy.temperatureCritical - back)
            val high = celsius >= policy.temperatureWarning ||
                (was != null && celsius > policy.temperatureWarning - back)
            if (critical)
                next[TEMPERATURE] = FAILING
            else if (high)
                next[TEMPERATURE] = WARNING
            if (used as Int >= policy.wearWarning) next[WEAR] = if (used >= policy.wornOut) FAILING else WARNING
            if (spare as Int <= policy.spareWarning) next[SPARE] = FAILING
            warnings as Set<*>
            if (CriticalWarning.SPARE_LOW in warnings) next[WARNS_OF_SPARE] = FAILING
            if (CriticalWarning.READ_ONLY in warnings) next[WARNS_OF_READ_ONLY] = FAILED
        }
        if (unread) next[UNREADABLE] = WARNING
        for (concern in HealthConcern.entries) if (concern in held && concern !in next) told += "- $concern"
        for ((concern, severity) in next) {
            val was = held[concern]
            if (was == null) told += "+ $concern $severity"
            if (was != null && was < severity) told += "> $concern $severity"
            if (was != null && was > severity) told += "< $concern $severity"
        }
        held = next.toMap()
    }
}

class HealthModelSpec : StringSpec({
    fun line(event: HealthEvent): String = when (event) {
        is HealthEvent.Raised -> "+ ${event.finding.concern} ${event.finding.severity}"
        is HealthEvent.Worsened -> "> ${event.finding.concern} ${event.finding.severity}"
        is HealthEvent.Eased -> "< ${event.finding.concern} ${event.finding.severity}"
        is HealthEvent.Recovered -> "- ${event.finding.concern}"
        is HealthEvent.Forgotten -> "forgotten"
    }

    fun fold(events: List<HealthEvent>): Map<String, Held> {
        val held = HashMap<String, Map<HealthConcern, HealthSeverity>>()
        for (event in events) {
            val now = held[event.id].orEmpty()
            held[event.id] = when (event) {
                is HealthEvent.Raised -> now + (event.finding.concern to event.finding.severity)
                is HealthEvent.Worsened -> now + (event.finding.concern to event.finding.severity)
                is HealthEvent.Eased -> now + (event.finding.concern to event.finding.severity)
                is HealthEvent.Recovered -> now - event.finding.concern
                is HealthEvent.Forgotten -> emptyMap()
            }
        }
        return held.filterValues { it.isNotEmpty() }
    }

    fun held(reports: Map<String, HealthReport>): Map<String, Held> =
        reports.mapValues { (_, report) -> report.findings.associate { it.concern to it.severity } }
            .filterValues { it.isNotEmpty() }

    fun Random.change(device: ModelDevice) {
        when (nextInt(6)) {
            0 -> device.celsius = nextInt(60, 90)
            1 -> device.used = nextInt(80, 110)
            2 -> device.spare = nextInt(0, 30)
            3 -> device.warnings = CriticalWarning.entries.filter { it.ordinal in setOf(0, 3) && nextBoolean() }.toSet()
            else -> device.mode = ModelDevice.Mode.entries[nextInt(4)]
        }
    }

    fun apply(device: ModelDevice, probe: FakeProbe) {
        if (device.mode != ModelDevice.Mode.HANGS) probe.comeBack(device.id)
        when (device.mode) {
            ModelDevice.Mode.FAILS -> probe.answer(device.id, ProbeAnswer.Failed("no"))
            ModelDevice.Mode.HANGS -> probe.hang(device.id)
            ModelDevice.Mode.ABSENT -> probe.answer(device.id, ProbeAnswer.Absent("none"))
            ModelDevice.Mode.ANSWERS -> probe.tell(device.id) {
                copy(
                    temperature = device.celsius,
                    percentageUsed = device.used,
                    availableSpare = device.spare,
                    criticalWarning = device.warnings,
                )
            }
        }
    }

    suspend fun TestScope.play(random: Random) {
        val probe = FakeProbe(clock = clockOf { currentTime })
        val devices = List(3) { ModelDevice("disk$it") }
        val policy = MutableStateFlow(HealthPolicy())
        for (device in devices) apply(device, probe)
        val monitor = monitorOf(MutableStateFlow(devices.map { target(it.id) }), listOf(probe), policy)
        val seen = eventsOf(monitor)
        val late = ArrayList<List<HealthEvent>>()
        advanceTimeBy(10.seconds)
        repeat(60) {
            if (random.nextInt(8) == 0) {
                policy.value = HealthPolicy(
                    temperatureWarning = random.nextInt(60, 80),
                    temperatureHysteresis = random.nextInt(0, 6),
                    wearWarning = random.nextInt(80, 100),
                    spareWarning = random.nextInt(0, 30),
                )
                runCurrent()
                for (device in devices) device.judged(policy.value)
            } else {
                val device = devices.random(random)
                random.change(device)
                apply(device, probe)
                runCurrent()
                monitor.check(device.id)
                runCurrent()
                device.looked(policy.value)
            }
            if (random.nextInt(4) == 0) advanceTimeBy(random.nextInt(1, 400).seconds)
            runCurrent()
            if (random.nextInt(10) == 0) late += eventsOf(monitor)
            runCurrent()
            for (device in devices) {
                withClue(device.id) { seen.filter { it.id == device.id }.map(::line) shouldBe device.told }
            }
            val expected = devices.associate { it.id to it.held }.filterValues { it.isNotEmpty() }
            held(monitor.reports.value) shouldBe expected
            for (events in late + listOf(seen)) fold(events) shouldBe expected
        }
        probe.overlaps.shouldBeEmpty()
        monitor.close()
    }

    "whatever devices, probes and policies do, each crossing is told once and in order" {
        for (seed in 1..System.getProperty("arraywright.health.seeds", "100").toInt()) {
            withClue("seed $seed") { runTest { play(Random(seed)) } }
        }
    }
})
