package dev.arraywright.hardware.health

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

class HealthPolicySpec : StringSpec({
    val wrong = mapOf<String, () -> HealthPolicy>(
        "the period" to { HealthPolicy(period = 999.milliseconds) },
        "the warned period" to { HealthPolicy(warnedPeriod = 6.minutes) },
        "the deadline" to { HealthPolicy(deadline = 6.minutes) },
        "the warning temperature" to { HealthPolicy(temperatureWarning = 90) },
        "the critical temperature" to { HealthPolicy(temperatureCritical = 201) },
        "the hysteresis" to { HealthPolicy(temperatureHysteresis = -1) },
        "the spare" to { HealthPolicy(spareWarning = 101) },
        "the wear" to { HealthPolicy(wearWarning = 101) },
        "never be reached" to { HealthPolicy(wornOut = 256) },
        "a count" to { HealthPolicy(pendingSectors = 0) },
        "the life" to { HealthPolicy(lifeWarning = -(1.days)) },
        "the latency" to { HealthPolicy(latencyWarning = Duration.ZERO) },
    )

    wrong.forEach { (what, make) ->
        "a policy is refused for $what" {
            shouldThrow<IllegalArgumentException> { make() }.message!! shouldContain what
        }
    }

    "a target is a device: with an id, a special file and a name of sysfs" {
        shouldThrow<IllegalArgumentException> { HealthTarget("", "/dev/sda", HealthTarget.Kind.ATA, "sda") }
        shouldThrow<IllegalArgumentException> { HealthTarget("a", "-a", HealthTarget.Kind.ATA, "sda") }
        shouldThrow<IllegalArgumentException> { HealthTarget("a", "/dev/sda", HealthTarget.Kind.ATA, "../sda") }
        shouldThrow<IllegalArgumentException> { HealthTarget("a", "/dev/sda", HealthTarget.Kind.ATA, "..") }
    }
})
