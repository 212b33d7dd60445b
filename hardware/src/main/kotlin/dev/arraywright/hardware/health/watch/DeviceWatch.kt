package dev.arraywright.hardware.health.watch

import dev.arraywright.hardware.health.HealthFinding
import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.hardware.health.HealthProbe
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthReport
import dev.arraywright.hardware.health.HealthSeverity
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import dev.arraywright.hardware.health.history.HealthHistory
import dev.arraywright.hardware.health.history.HealthSample
import dev.arraywright.hardware.health.history.LifePredictor
import dev.arraywright.spi.device.DeviceHealth
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/** Watches one device: reads it now and then, and judges what it read. */
internal class DeviceWatch(
    target: HealthTarget,
    private val probes: List<HealthProbe>,
    private val policy: StateFlow<HealthPolicy>,
    private val clock: Clock,
    private val time: TimeSource,
    private val keeper: HistoryKeeper,
    private val reads: BoundedReads,
    private val show: (HealthReport) -> Unit,
) {
    private val turn = Mutex()
    private val slots = probes.associateWith { BoundedReads.Slot() }

    /** The last that each source told, by the order of the probes. */
    private val told = LinkedHashMap<HealthSource, HealthReading>()
    private val absent = LinkedHashMap<HealthSource, String>()
    private val failed = LinkedHashMap<HealthSource, String>()
    private var hangs = false
    private var findings = emptyList<HealthFinding>()
    private var judgedBy: HealthPolicy? = null
    private var report = HealthReport(target)

    /** The device as it is now: one that comes back on another path is the same. */
    @Volatile
    var target: HealthTarget = target

    suspend fun run(): Nothing {
        // Not all devices at once: each has its own phase, which stays.
        // Mixed, as the hashes of ids that differ in a digit are neighbours.
        val phase = (target.id.hashCode() * MIX ushr 16).toDouble() / PHASES
        delay(FIRST.coerceAtMost(policy.value.period) * phase)
        while (true) {
            look()
            rest(time.markNow())
        }
    }

    /** Reads and judges once. */
    suspend fun look(): HealthReport = turn.withLock {
        val now = policy.value
        absent.clear()
        failed.clear()
        hangs = false
        for (probe in probes) ask(probe, now.deadline)
        told.keys.retainAll(probes.map { it.source } - absent.keys)
        reading()?.takeIf { failed.isEmpty() }?.let { keeper.add(HealthSample.of(it, clock.now()), now.deadline) }
        judge(now, checked = true)
    }

    private suspend fun rest(since: TimeMark) {
        while (true) {
            val left = turn.withLock { period() } - since.elapsedNow()
            if (!left.isPositive()) return
            val judged = turn.withLock { judgedBy }
            withTimeoutOrNull(left) { policy.first { it != judged } } ?: return
            turn.withLock { judge(policy.value, checked = false) }
        }
    }

    private fun period(): Duration = policy.value.run { if (findings.isEmpty()) period else warnedPeriod }

    private suspend fun ask(probe: HealthProbe, deadline: Duration) {
        val source = probe.source
        val other = told.keys.firstOrNull { it.ofDevice && it != source && it !in failed && it !in absent }
        if (source.ofDevice && other != null && probes.indexOfFirst { it.source == other } < probes.indexOf(probe)) {
            absent[source] = "not needed: $other tells"
            return
        }
        val device = target
        when (val answer = reads.run(slots.getValue(probe), deadline) { probe.read(device) }) {
            is Bounded.Done -> take(source, answer.value)
            is Bounded.Threw -> failed[source] = answer.cause.message ?: answer.cause.toString()
            is Bounded.Late -> {
                hangs = true
                failed[source] = if (answer.again) "still does not answer" else "no answer within $deadline"
            }
        }
    }

    private fun take(source: HealthSource, answer: ProbeAnswer) {
        when (answer) {
            is ProbeAnswer.Read -> told[source] = answer.reading
            is ProbeAnswer.Absent -> absent[source] = answer.reason
            is ProbeAnswer.Failed -> failed[source] = answer.reason
        }
    }

    /** What all told together: first what was told this time, then what is left of earlier times. */
    private fun reading(): HealthReading? {
        val order = probes.map { it.source }.filter { it in told }.sortedBy { it in failed }
        return order.map { told.getValue(it) }.reduceOrNull(HealthReading::or)
    }

    private suspend fun judge(now: HealthPolicy, checked: Boolean): HealthReport {
        val instant = clock.now()
        val reading = reading()
        val history = keeper.history(now.deadline)
        val life = reading?.let { LifePredictor.predict(history, it, now, instant) }
        val unread = failed.entries.joinToString("; ") { "${it.key}: ${it.value}" }.ifEmpty { null }
        findings = HealthJudge(now, findings.associateBy { it.concern }, instant).judge(reading, history, life, unread)
        judgedBy = now
        report = HealthReport(
            target = target,
            reading = reading,
            checked = if (checked) instant else report.checked,
            health = verdict(reading),
            findings = findings,
            life = life,
            absent = absent.toMap(),
            failed = failed.toMap(),
            historyProblem = keeper.problem,
        )
        return report.also(show)
    }

    private fun verdict(reading: HealthReading?): DeviceHealth {
        val detail = findings.joinToString("; ") { it.text }
        return when {
            findings.any { it.severity == HealthSeverity.FAILED } -> DeviceHealth(DeviceHealth.Status.FAILED, detail)
            hangs -> DeviceHealth(DeviceHealth.Status.SUSPECT, detail)
            findings.isNotEmpty() -> DeviceHealth(DeviceHealth.Status.WARNING, detail)
            reading != null && reading.sources.any { it.ofDevice } -> DeviceHealth.GOOD
            else -> DeviceHealth(
                DeviceHealth.Status.UNKNOWN,
                absent.filterKeys { it.ofDevice }.values.distinct().joinToString("; "),
            )
        }
    }

    private companion object {
        /** Devices are looked at first within this. */
        val FIRST = 5.seconds
        const val PHASES = 1 shl 16
        const val MIX = -0x61c88647
    }
}
