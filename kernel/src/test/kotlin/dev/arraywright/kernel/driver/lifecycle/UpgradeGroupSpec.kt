package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.DriverInfo
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class UpgradeGroupSpec : StringSpec({
    fun loaded(vararg all: DriverInfo) = all.associateBy { it.name }

    fun group(wanted: DriverInfo, loaded: Map<String, DriverInfo>, vararg offers: DriverInfo) =
        UpgradeGroup.of(listOf(offer(wanted)), loaded, offers.map(::offer)).map { "${it.info}" }

    val loaded = loaded(info("base"), info("over", "1.0.0", "base ^1"), info("top", "1.0.0", "over ^1"))

    "who takes the new version is left alone" {
        group(info("base", "1.5.0"), loaded, info("over", "1.5.0", "base ^1")) shouldBe listOf("base 1.5.0")
    }

    "what would break comes along, and what would break by that, the highest that fits and no older ones" {
        group(
            info("base", "2.0.0"),
            loaded,
            info("over", "0.9.0", "base ^2"),
            info("over", "2.0.0", "base ^2"),
            info("over", "2.1.0", "base ^2"),
            info("over", "3.0.0", "base ^3"),
            info("top", "1.1.0", "over ^1"),
            info("top", "2.0.0", "over ^2"),
        ) shouldBe listOf("base 2.0.0", "over 2.1.0", "top 2.0.0")
        group(info("base", "2.0.0"), loaded, info("over", "0.9.0", "base ^2")) shouldBe listOf("base 2.0.0")
    }

    "what the new version requires in another version comes along, with what that breaks" {
        val offers = arrayOf(info("base", "2.0.0"), info("over", "2.0.0", "base ^2"), info("top", "2.0.0", "over ^2"))
        group(info("top", "2.0.0", "over ^2"), loaded, *offers) shouldBe listOf("top 2.0.0", "over 2.0.0", "base 2.0.0")
    }

    "jars that do for each other's old versions are upgraded apart, others together" {
        fun parts(vararg wanted: DriverInfo) =
            UpgradeGroup.parts(wanted.map(::offer), loaded).map { part -> part.map { it.info.name } }
        parts(info("over", "1.1.0", "base ^1"), info("base", "1.1.0")) shouldBe listOf(listOf("over"), listOf("base"))
        parts(info("over", "2.0.0", "base ^2"), info("base", "2.0.0")) shouldBe listOf(listOf("over", "base"))
        parts(info("top", "2.0.0", "over"), info("base", "2.0.0"), info("over", "1.1.0", "base *")) shouldBe
            listOf(listOf("top"), listOf("base", "over"))
    }

    "a group of any drivers has each once, all that was wanted, and is in accord if the offers allow it" {
        var whole = 0
        repeat(2_000) { seed ->
            val random = Random(seed)

            fun any(at: Int, major: Int): DriverInfo {
                val needs = List(at) { "d$it" }.filter { random.nextInt(3) == 0 }
                return info("d$at", "$major.${random.nextInt(3)}.0", *needs.map { "$it ^$major" }.toTypedArray())
            }
            val old = List(5) { any(it, 1) }.associateBy { it.name }
            val offers = List(5) { any(it, 2) }.filter { random.nextInt(6) > 0 }
            val wanted = offers.filter { random.nextInt(4) == 0 }
            val group = UpgradeGroup.of(wanted.map(::offer), old, offers.map(::offer)).map { it.info }
            withClue("seed $seed: $wanted of $offers over $old") {
                group shouldContainAll wanted
                group.map { it.name }.toSet().size shouldBe group.size
                offers shouldContainAll group
                val after = old + group.associateBy { it.name }
                val accord = after.values.all { Dependencies.unmet(it, after) == null }
                if (offers.size == 5) accord shouldBe true
                if (accord && group.size > wanted.size) whole++
                val parts = UpgradeGroup.parts(group.map(::offer), old).flatten().map { it.info }
                parts.sortedBy { it.name } shouldBe group.sortedBy { it.name }
            }
        }
        (whole > 100) shouldBe true
    }
})
