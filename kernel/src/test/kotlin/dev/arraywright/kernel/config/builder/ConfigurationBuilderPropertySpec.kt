package dev.arraywright.kernel.config.builder

import dev.arraywright.kernel.config.Configuration
import dev.arraywright.kernel.config.configuration
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

class ConfigurationBuilderPropertySpec : StringSpec({
    fun each(check: (Configuration, Random) -> Unit) = repeat(300) { seed ->
        val random = Random(seed)
        val configuration = random.configuration()
        withClue("seed $seed") { check(configuration, random) }
    }

    "whatever is set by the Kotlin names is what is built" {
        each { one, random -> Filling.copy(one, java = false, random) shouldBe one }
    }

    "whatever is set by the Java names is what is built" {
        each { one, random -> Filling.copy(one, java = true, random) shouldBe one }
    }

    "a builder begins with what the configuration says" {
        each { one, _ ->
            one.toBuilder().build() shouldBe one
            one.change { } shouldBe one
        }
    }

    "a builder overwrites whatever was there before" {
        each { one, random ->
            val before = random.configuration()
            val builder = before.toBuilder()
            before.arrays.forEach { builder.removeArray(it.name) }
            before.spares.forEach { builder.removeSpare(it.address) }
            before.drivers.keys.forEach { builder.removeDriver(it) }
            Filling(random.nextBoolean(), random).fill(builder, one)
            builder.build() shouldBe one
        }
    }

    "what is printed is read back" {
        each { one, _ -> Configuration.parse(one.print(), "printed") shouldBe one }
    }

    "no duration is lost between Kotlin's and Java's" {
        Duration.INFINITE.toJavaDuration().toKotlinDuration() shouldBe Duration.INFINITE
    }
})
