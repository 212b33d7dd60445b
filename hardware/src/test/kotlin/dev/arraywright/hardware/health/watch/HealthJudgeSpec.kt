package dev.arraywright.hardware.health.watch

import dev.arraywright.hardware.health.CriticalWarning
import dev.arraywright.hardware.health.HealthConcern
import dev.arraywright.hardware.health.HealthConcern.IO_ERRORS
import dev.arraywright.hardware.health.HealthConcern.LATENCY
import dev.arraywright.hardware.health.HealthConcern.LIFE
import dev.arraywright.hardware.health.HealthConcern.MEDIA_ERRORS
import dev.arraywright.hardware.health.HealthConcern.PENDING_SECTORS
import dev.arraywright.hardware.health.HealthConcern.REALLOCATED_SECTORS
import dev.arraywright.hardware.health.HealthConcern.SELF_ASSESSMENT
import dev.arraywright.hardware.health.HealthConcern.SPARE
import dev.arraywright.hardware.health.HealthConcern.STATE
import dev.arraywright.hardware.health.HealthConcern.TEMPERATURE
import dev.arraywright.hardware.health.HealthConcern.UNCORRECTABLE_SECTORS
import dev.arraywright.hardware.health.HealthConcern.WEAR
import dev.arraywright.hardware.health.HealthFinding
import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSeverity
import dev.arraywright.hardware.health.HealthSeverity.FAILED
import dev.arraywright.hardware.health.HealthSeverity.FAILING
import dev.arraywright.hardware.health.HealthSeverity.WARNING
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.LifeBasis
import dev.arraywright.hardware.health.LifeTrend
import dev.arraywright.hardware.health.epoch
import dev.arraywright.hardware.health.history.HealthHistory
import dev.arraywright.hardware.health.history.HealthSample
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class HealthJudgeSpec : StringSpec({
    val fine = HealthReading(epoch, setOf(HealthSource.NVME_LOG))
    val before = HealthHistory.EMPTY.plus(HealthSample(epoch - 2.days, mediaErrors = 10, ioErrors = 10))

    fun judge(
        reading: HealthReading,
        known: List<HealthFinding> = emptyList(),
        life: LifeTrend? = null,
        history: HealthHistory = before,
    ) = HealthJudge(HealthPolicy(), known.associateBy { it.concern }, epoch).judge(reading, history, life, null)

    fun List<HealthFinding>.brief() = associate { it.concern to it.severity }

    val none = emptyMap<HealthConcern, HealthSeverity>()
    val table: List<Triple<String, HealthReading, Map<HealthConcern, HealthSeverity>>> = listOf(
        Triple("nothing told", fine, none),
        Triple("spare above its threshold", fine.copy(availableSpare = 11, spareThreshold = 10), none),
        Triple("spare at its threshold", fine.copy(availableSpare = 10, spareThreshold = 10), mapOf(SPARE to FAILING)),
        Triple("no spare to run out of", fine.copy(availableSpare = 0, spareThreshold = 0), none),
        Triple("spare at the policy's", fine.copy(availableSpare = 10), mapOf(SPARE to FAILING)),
        Triple("89 % used", fine.copy(percentageUsed = 89), none),
        Triple("90 % used", fine.copy(percentageUsed = 90), mapOf(WEAR to WARNING)),
        Triple("100 % used", fine.copy(percentageUsed = 100), mapOf(WEAR to FAILING)),
        Triple("its own verdict", fine.copy(passed = false), mapOf(SELF_ASSESSMENT to FAILING)),
        Triple("49 reallocated", fine.copy(reallocatedSectors = 49), none),
        Triple("50 reallocated", fine.copy(reallocatedSectors = 50), mapOf(REALLOCATED_SECTORS to FAILING)),
        Triple("1 pending", fine.copy(pendingSectors = 1), mapOf(PENDING_SECTORS to FAILING)),
        Triple("1 lost", fine.copy(uncorrectableSectors = 1), mapOf(UNCORRECTABLE_SECTORS to FAILING)),
        Triple("1 media error in 2 days", fine.copy(mediaErrors = 11), none),
        Triple("2 media errors in 2 days", fine.copy(mediaErrors = 12), mapOf(MEDIA_ERRORS to FAILING)),
        Triple("19 I/O errors in 2 days", fine.copy(ioErrors = 25, ioTimeouts = 4), none),
        Triple("20 I/O errors in 2 days", fine.copy(ioErrors = 25, ioTimeouts = 5), mapOf(IO_ERRORS to WARNING)),
        Triple("a dead controller", fine.copy(state = "dead"), mapOf(STATE to FAILED)),
        Triple("a live controller", fine.copy(state = "live"), none),
        Triple("fast", fine.copy(latency = 999.milliseconds), none),
        Triple("slow", fine.copy(latency = 1.seconds), mapOf(LATENCY to WARNING)),
        Triple("warm", fine.copy(temperature = 69), none),
        Triple("hot", fine.copy(temperature = 70), mapOf(TEMPERATURE to WARNING)),
        Triple("too hot", fine.copy(temperature = 80), mapOf(TEMPERATURE to FAILING)),
        Triple(
            "hot, but made for it",
            fine.copy(temperature = 79, warningTemperature = 80, criticalTemperature = 90),
            none,
        ),
        Triple("too hot for it", fine.copy(temperature = 60, criticalTemperature = 60), mapOf(TEMPERATURE to FAILING)),
    )
    table.forEach { (what, reading, expected) ->
        "by default, $what: ${expected.ifEmpty { "nothing against it" }}" {
            judge(reading).brief() shouldBe expected
        }
    }

    "each warning of the device's own counts for what it means" {
        judge(fine.copy(criticalWarning = CriticalWarning.entries.toSet())).brief() shouldBe mapOf(
            HealthConcern.WARNS_OF_SPARE to FAILING,
            HealthConcern.WARNS_OF_TEMPERATURE to WARNING,
            HealthConcern.WARNS_OF_RELIABILITY to FAILING,
            HealthConcern.WARNS_OF_READ_ONLY to FAILED,
            HealthConcern.WARNS_OF_BACKUP to WARNING,
            HealthConcern.WARNS_OF_MEMORY_REGION to WARNING,
        )
    }

    "a temperature is over 3 degrees below its limit, and keeps its time until then" {
        var known = judge(fine.copy(temperature = 80))
        val steps =
            listOf(78 to FAILING, 77 to WARNING, 79 to WARNING, 68 to WARNING, 67 to null, 69 to null, 70 to WARNING)
        for ((temperature, severity) in steps) {
            known = judge(fine.copy(temperature = temperature), known)
            known.brief()[TEMPERATURE] shouldBe severity
        }
        val earlier = listOf(HealthFinding(TEMPERATURE, WARNING, "", epoch - 1.hours))
        judge(fine.copy(temperature = 68), earlier).single().since shouldBe epoch - 1.hours
        judge(fine.copy(temperature = 71)).single().since shouldBe epoch
    }

    "a life that ends soon is over a quarter later, a latency at four fifths" {
        fun life(days: Int) = LifeTrend(LifeBasis.PERCENTAGE_USED, 1.0, days.days)
        judge(fine, life = life(31)).brief() shouldBe none
        val low = judge(fine, life = life(30))
        low.brief() shouldBe mapOf(LIFE to FAILING)
        judge(fine, low, life(37)).brief() shouldBe mapOf(LIFE to FAILING)
        judge(fine, low, life(38)).brief() shouldBe none
        val slow = judge(fine.copy(latency = 2.seconds))
        judge(fine.copy(latency = 800.milliseconds), slow).brief() shouldBe mapOf(LATENCY to WARNING)
        judge(fine.copy(latency = 799.milliseconds), slow).brief() shouldBe none
    }
})
