package dev.arraywright.kernel.config

import dev.arraywright.hardware.health.HealthPolicy
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.KernelOptions
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class MachineConfigurationSpec : StringSpec({
    "thresholds, the reserve and watching are read, and what is not said is as by default" {
        val read = Configuration.parse(
            """
            { "health": { "temperatureWarning": 60, "temperatureCritical": 75, "spareWarning": 20, "wearWarning": 80,
                "lifeWarning": "90d", "period": "10m", "latencyWarning": "250ms", "pendingSectors": 3 },
              "memory": { "reserve": "512MiB" }, "watch": false }
            """,
            "test",
        )
        read.health.toPolicy() shouldBe HealthPolicy(
            temperatureWarning = 60,
            temperatureCritical = 75,
            spareWarning = 20,
            wearWarning = 80,
            lifeWarning = 90.days,
            period = 10.minutes,
            latencyWarning = 250.milliseconds,
            pendingSectors = 3,
        )
        read.memory.toOptions().reserve shouldBe (512L shl 20)
        read.watch shouldBe false
        Configuration.parse("{}", "empty").run {
            health.toPolicy() shouldBe HealthPolicy()
            memory.toOptions().reserve shouldBe null
            watch shouldBe true
        }
    }

    "what is printed is read back, whatever the thresholds" {
        val policy = HealthPolicy(
            7.minutes,
            17.seconds,
            11.seconds,
            51,
            61,
            4,
            13,
            71,
            81,
            2,
            3,
            5,
            6,
            8,
            99.days,
            123.milliseconds,
        )
        val one = Configuration(
            health = HealthConfiguration.of(policy),
            memory = MemoryConfiguration(3L shl 29),
            watch = false,
        )
        one.print() shouldContain """"lifeWarning": "99d""""
        one.print() shouldContain """"reserve": "1536MiB""""
        Configuration.parse(one.print(), "printed").run {
            this shouldBe one
            health.toPolicy() shouldBe policy
        }
    }

    for ((text, reason) in listOf(
        """{ "health": { "temperatureWarnin": 60 } }""" to "did you mean 'temperatureWarning'?",
        """{ "health": { "temperatureWarning": 90 } }""" to "health: the warning temperature must be from 1 to 80 C",
        """{ "health": { "temperatureWarning": "hot" } }""" to "temperatureWarning",
        """{ "health": { "period": "10s" } }""" to "health: the warned period must be from 1 s to 10s",
        """{ "health": { "period": 300 } }""" to "not a duration: '300'",
        """{ "health": { "lifeWarning": "-1d" } }""" to "health: the life to warn at must not be negative",
        """{ "health": { "spareWarning": 101 } }""" to "health: the spare to warn at",
        """{ "memory": { "reserv": "1GiB" } }""" to "did you mean 'reserve'?",
        """{ "memory": { "reserve": "much" } }""" to "write a size such as",
        """{ "memory": { "reserve": 0 } }""" to "memory: the reserve must be above 0",
        """{ "watch": "maybe" }""" to "watch",
        """{ "wach": true }""" to "did you mean 'watch'?",
    )) {
        "refused: $text" {
            shouldThrow<KernelError.BadConfiguration> { Configuration.parse(text, "test") }.why shouldContain reason
        }
    }

    "thresholds change without a restart" {
        ArraywrightKernel.start().use { kernel ->
            val thresholds = kernel.machine.shouldNotBeNull().thresholds
            thresholds.policy.value shouldBe HealthPolicy()
            kernel.apply(Configuration(health = HealthConfiguration(wearWarning = 50))).shouldBeEmpty()
            thresholds.policy.value shouldBe HealthPolicy(wearWarning = 50)
            kernel.apply(Configuration()).shouldBeEmpty()
            thresholds.policy.value shouldBe HealthPolicy()
        }
    }

    "the reserve is what the kernel watches by" {
        val reserve = 123L shl 20
        ArraywrightKernel.start(KernelOptions(memory = MemoryConfiguration(reserve).toOptions())).use { kernel ->
            val sources = withTimeout(30.seconds) { kernel.machine!!.memory.status.first { it.isNotEmpty() } }
            sources.single {
                it.source == "available"
            }.run { if (active) detail shouldContain "$reserve are a reserve" }
        }
    }
})
