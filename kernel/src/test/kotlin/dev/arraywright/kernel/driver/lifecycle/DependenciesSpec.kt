package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.DriverVersion
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.random.Random

class DependenciesSpec : StringSpec({
    fun driver(name: String, version: String, vararg requires: String) = DriverInfo(
        name,
        "for specs",
        DriverVersion.parse(version),
        listOf(name),
        DriverVersion.PLATFORM,
        autoLoad = true,
        "org.example.X",
        requires.map(DriverRequirement::parse),
    )

    fun order(
        wanted: List<DriverInfo>,
        present: List<DriverInfo> = emptyList(),
    ): Pair<List<String>, Map<String, String>> {
        val refused = mutableMapOf<String, String>()
        val ordered = Dependencies.order(wanted, present.associateBy { it.name }) { info, error ->
            refused.put(info.name, error.why) shouldBe null
        }
        return ordered.map { it.name } to refused
    }

    "each comes after those that it requires, else as given" {
        val a = driver("a", "1.0.0", "b ^1.0", "c")
        val b = driver("b", "1.2.0", "d")
        order(listOf(a, driver("e", "1.0.0"), b, driver("c", "1.0.0", "d"), driver("d", "1.0.0"))).first shouldBe
            listOf("d", "b", "c", "a", "e")
    }

    "what is missing, or of another version, is named, and keeps those that require it, alone" {
        val (ordered, refused) = order(
            listOf(driver("a", "1.0.0", "b ^1.0"), driver("b", "1.0.0", "c ^2.0"), driver("d", "1.0.0", "x")),
            present = listOf(driver("c", "1.4.0")),
        )
        ordered shouldBe emptyList()
        refused["b"] shouldBe "it requires c ^2.0, and c is 1.4.0"
        refused["a"] shouldBe "it requires b ^1.0, which cannot be loaded"
        refused["d"] shouldBe "it requires x, and no driver x is there"
        order(
            listOf(driver("a", "1.0.0", "c ^1.0"), driver("d", "1.0.0", "x")),
            listOf(driver("c", "1.4.0")),
        ).first shouldBe
            listOf("a")
    }

    "a circle is named whole, and nobody of it is loaded" {
        val circle = listOf(driver("a", "1.0.0", "b"), driver("b", "1.0.0", "c"), driver("c", "1.0.0", "a"))
        val (ordered, refused) = order(circle + driver("d", "1.0.0"))
        ordered shouldBe listOf("d")
        refused.keys shouldBe setOf("a", "b", "c")
        refused.values.first { "each other" in it } shouldBe "drivers require each other: a -> b -> c -> a"
    }

    "who needs a driver, and whom another version of it would not do for" {
        val others = listOf(driver("a", "1.0.0", "b ^1.0"), driver("c", "1.0.0", "b"), driver("d", "1.0.0"))
        Dependencies.neededBy("b", others).map { it.name } shouldBe listOf("a", "c")
        Dependencies.brokenBy(driver("b", "1.9.0"), others) shouldBe emptyList()
        Dependencies.brokenBy(driver("b", "2.0.0"), others).map { it.name } shouldBe listOf("a")
    }

    "what runs has to be there" {
        val a = driver("a", "1.0.0", "b ^1.0")
        Dependencies.require(a, mapOf("b" to driver("b", "1.0.1")))
        shouldThrow<KernelError.DriverUnusable> { Dependencies.require(a, emptyMap()) }.why shouldContain "no driver b"
    }

    "an order of any drivers is one: each once, none before what it requires, refused or ordered" {
        repeat(500) { seed ->
            val random = Random(seed)
            val names = ('a'..'h').map { "$it" }
            val wanted = names.shuffled(random).map { name ->
                driver(
                    name,
                    "1.${random.nextInt(3)}.0",
                    *names.filter { it != name && random.nextInt(6) == 0 }.map {
                        "$it ^1.${random.nextInt(2)}"
                    }.toTypedArray(),
                )
            }
            val (ordered, refused) = order(wanted)
            (ordered + refused.keys).sorted() shouldBe names
            val at = ordered.withIndex().associate { it.value to it.index }
            for (info in wanted.filter { it.name in at }) {
                for (need in info.requires) (at.getValue(need.name) < at.getValue(info.name)) shouldBe true
            }
        }
    }
})
