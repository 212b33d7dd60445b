package dev.arraywright.kernel.config

import dev.arraywright.kernel.KernelError
import dev.arraywright.raid.spare.HotSparePolicy
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

class PolicyConfigurationSpec : StringSpec({
    "sizes and durations are text, bytes may be a number, and what is not said is as by default" {
        val read = Configuration.parse(
            """
            { "policy": { "healthCheckInterval": "5s", "scrubInterval": "30d", "rebuildFloor": 2097152,
                "rebuildCeiling": "200MiB", "throttleDelay": "2ms", "latency": { "ratio": 4 } },
              "spares": [ "file:/s0", { "address": "file:/s1", "domain": "rack-1" } ], "memberDeadline": "10s",
              "arrays": [ { "name": "a", "members": ["file:/a"], "level": "raid1", "chunk": 65536, "bitmap": "64MiB",
                "spares": ["file:/b"], "domains": { "file:/a": "rack-2" } } ] }
            """,
            "test",
        )
        read.policy.toPolicy() shouldBe HotSparePolicy(
            healthCheckInterval = 5.seconds,
            scrubInterval = 30.days,
            rebuildFloor = 2L shl 20,
            rebuildCeiling = 200L shl 20,
            throttleDelay = 2.milliseconds,
            latency = HotSparePolicy().latency.copy(ratio = 4.0),
        )
        read.spares shouldBe listOf(SpareConfiguration("file:/s0"), SpareConfiguration("file:/s1", "rack-1"))
        read.memberDeadline shouldBe 10.seconds
        read.arrays.single().bitmapChunk shouldBe (64 shl 20)
        Configuration.parse(read.print(), "printed") shouldBe read
        read.print() shouldContain """"rebuildCeiling": "200MiB""""
        read.print() shouldContain """"scrubInterval": "30d""""
    }

    "every policy is written and read back" {
        val policy =
            HotSparePolicy(rebuildPriority = 3, autoFailover = false, rebuildCeiling = 3_333_333, retryDelay = 1.days)
        val configuration = Configuration(policy = PolicyConfiguration.of(policy))
        Configuration.parse(configuration.print(), "printed").policy.toPolicy() shouldBe policy
        Configuration.parse("{}", "empty").policy.toPolicy() shouldBe HotSparePolicy()
        PolicyConfiguration.of(policy).settings().getValue("latency.ratio") shouldBe "5.0"
    }

    for ((text, reason) in listOf(
        """{ "policy": { "rebuildPriorty": 50 } }""" to "did you mean 'rebuildPriority'?",
        """{ "policy": { "latency": { "ratoi": 5 } } }""" to "did you mean 'ratio'?",
        """{ "spares": [ { "adress": "file:/s" } ] }""" to "did you mean 'address'?",
        """{ "memberDeadlin": "1s" }""" to "did you mean 'memberDeadline'?",
        """{ "policy": { "rebuildPriority": 101 } }""" to "policy: the rebuild priority must be from 0 to 100",
        """{ "policy": { "healthCheckInterval": "soon" } }""" to "not a duration: 'soon'",
        """{ "policy": { "healthCheckInterval": 30 } }""" to "not a duration: '30'; write one with its unit",
        """{ "policy": { "healthCheckInterval": "0s" } }""" to "above 0",
        """{ "policy": { "healthCheckInterval": {} } }""" to "neither text nor number",
        """{ "policy": { "rebuildFloor": "fast" } }""" to "write a size such as",
        """{ "policy": { "rebuildCeiling": "1KiB" } }""" to "below the floor",
        """{ "spares": [ "file:/s", "file:/s" ] }""" to "file:/s stands twice",
        """{ "spares": [ "" ] }""" to "blank",
        """{ "memberDeadline": "0s" }""" to "above 0",
        """{ "arrays": [ { "name": "x", "members": ["file:/a"], "level": "raid7" } ] }""" to "no level raid7",
        """{ "arrays": [ { "name": "x", "members": ["file:/a"], "bitmap": "5000" } ] }""" to "no power of two",
        """{ "arrays": [ { "name": "x", "members": ["file:/a"], "spares": ["file:/a"] } ] }""" to "stands twice",
    )) {
        "refused: $text" {
            shouldThrow<KernelError.BadConfiguration> { Configuration.parse(text, "test") }.why shouldContain reason
        }
    }
})
