package dev.arraywright.hardware.health

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlin.time.Clock
import kotlin.time.Instant

internal val epoch: Instant = Instant.parse("2030-01-01T00:00:00Z")

internal fun clockOf(milliseconds: () -> Long): Clock = object : Clock {
    override fun now(): Instant = Instant.fromEpochMilliseconds(epoch.toEpochMilliseconds() + milliseconds())
}

internal val stoppedClock: Clock = clockOf { 0 }

internal fun target(id: String, kind: HealthTarget.Kind = HealthTarget.Kind.NVME, path: String = "/dev/$id") =
    HealthTarget(id, path, kind, id)

internal fun resource(name: String): String =
    checkNotNull(HealthTarget::class.java.getResource("/$name")) { "no resource $name" }.readText()

/** A probe that answers what it is told to, and hangs as a device does: it cannot be cancelled. */
internal class FakeProbe(
    override val source: HealthSource = HealthSource.NVME_LOG,
    private val clock: Clock,
) : HealthProbe {
    private val answers = HashMap<String, ProbeAnswer>()
    private val gates = HashMap<String, CompletableDeferred<Unit>>()

    /** How often it was asked, by device. */
    val asked = HashMap<String, Int>()

    /** Devices asked again before they had answered: there must never be any. */
    val overlaps = ArrayList<String>()
    private val running = HashSet<String>()

    fun tell(id: String, change: HealthReading.() -> HealthReading) {
        answers[id] = ProbeAnswer.Read(HealthReading(clock.now(), setOf(source)).change())
    }

    fun answer(id: String, answer: ProbeAnswer) {
        answers[id] = answer
    }

    fun hang(id: String) {
        gates.getOrPut(id) { CompletableDeferred() }
    }

    fun comeBack(id: String) {
        gates.remove(id)?.complete(Unit)
    }

    override suspend fun read(target: HealthTarget): ProbeAnswer {
        asked.merge(target.id, 1, Int::plus)
        if (!running.add(target.id)) overlaps += target.id
        gates[target.id]?.let { withContext(NonCancellable) { it.await() } }
        running -= target.id
        val answer = answers.getValue(target.id)
        return if (answer is ProbeAnswer.Read)
            answer.copy(
                reading = answer.reading.copy(time = clock.now()),
            )
        else
            answer
    }
}
