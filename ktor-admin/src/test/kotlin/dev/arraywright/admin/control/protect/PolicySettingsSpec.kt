package dev.arraywright.admin.control.protect

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.config.PolicyConfiguration
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.random.Random
import kotlin.time.Duration.Companion.days

class PolicySettingsSpec : StringSpec({
    val default = PolicyConfiguration()

    "all settings are shown, those of a part with its name, and what is shown can be set" {
        val shown = PolicySettings.of(default)
        shown.keys shouldContainAll listOf("rebuildPriority", "throttleDelay", "rebuildCeiling", "latency.ratio")
        shown["healthCheckInterval"] shouldBe "30s"
        PolicySettings.changed(default, shown) shouldBe default
    }

    "settings are changed, also to none" {
        val changed = PolicySettings.changed(default, mapOf("scrubInterval" to "30d", "latency.ratio" to "8"))
        changed.scrubInterval shouldBe 30.days
        changed.latency.ratio shouldBe 8.0
        PolicySettings.changed(changed, mapOf("scrubInterval" to "none")).scrubInterval shouldBe null
    }

    "an unknown name is answered with the nearest" {
        shouldThrow<KernelError.InvalidRequest> {
            PolicySettings.changed(default, mapOf("rebuildPrioritty" to "1"))
        }.why shouldContain "did you mean 'rebuildPriority'?"
        shouldThrow<KernelError.InvalidRequest> { PolicySettings.changed(default, mapOf("rebuildPriority.x" to "1")) }
    }

    "whatever is set, nothing but a refusal comes of it" {
        val random = Random(3)
        val names = PolicySettings.of(default).keys.toList() + listOf("x.y", ".", "", "latency", "latency..")
        val letters = "0123456789.-smhdiBKMG{}[]\"\\ \u0000ä"
        repeat(2000) {
            val name = names.random(random)
            val value = String(CharArray(random.nextInt(8)) { letters.random(random) })
            withClue("$name=$value") {
                try {
                    PolicySettings.changed(default, mapOf(name to value))
                } catch (e: KernelError.InvalidRequest) {
                    e.what shouldContain name
                }
            }
        }
    }
})
