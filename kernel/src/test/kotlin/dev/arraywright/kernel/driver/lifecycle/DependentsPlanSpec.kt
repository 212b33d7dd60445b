package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.lifecycle.DependentsPlan.Rest
import dev.arraywright.kernel.driver.lifecycle.DependentsPlan.Resume
import dev.arraywright.kernel.driver.lifecycle.DependentsPlan.Seat
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random

class DependentsPlanSpec : StringSpec({
    val base = info("base")
    val middle = info("middle", "1.0.0", "base ^1")
    val top = info("top", "1.0.0", "middle")
    val broken = DriverState.Failed("no power")

    fun running(info: DriverInfo) = Seat(info, running = true)

    fun resting(info: DriverInfo, why: String) =
        Seat(info, running = false, waiting = true, failure = DriverState.Failed(why))
    val lost = Seat(base, running = false, failure = broken)
    val why = "it requires base ^1, which failed: no power"
    val whyTop = "it requires middle, which does not run: $why"

    "those rest first that nobody else requires, and resume last" {
        DependentsPlan.steps(listOf(lost, running(middle), running(top))) shouldBe listOf(Rest("top", whyTop))
        DependentsPlan.steps(listOf(lost, running(middle), resting(top, whyTop))).filter {
            it.name == "middle"
        } shouldBe
            listOf(Rest("middle", why))
        DependentsPlan.steps(listOf(running(base), resting(middle, why), resting(top, whyTop))).first() shouldBe
            Resume("middle")
        DependentsPlan.steps(
            listOf(running(base), running(middle), resting(top, whyTop)),
        ) shouldBe listOf(Resume("top"))
        DependentsPlan.steps(listOf(running(base), running(middle), running(top))) shouldBe emptyList()
    }

    "what has become of the one that is required is told" {
        val quarantined = Seat(base, running = false, failure = DriverState.Failed("no power", quarantined = true))
        DependentsPlan.steps(listOf(quarantined, resting(middle, why))) shouldBe
            listOf(Rest("middle", "it requires base ^1, which is in quarantine: no power"))
        DependentsPlan.steps(listOf(resting(middle, why))) shouldBe
            listOf(Rest("middle", "it requires base ^1, and no driver base is there"))
        DependentsPlan.steps(listOf(running(info("base", "2.0.0")), resting(middle, why))) shouldBe
            listOf(Rest("middle", "it requires base ^1, and base is 2.0.0"))
        // On its way.
        DependentsPlan.steps(listOf(Seat(base, running = false), resting(middle, why))) shouldBe emptyList()
    }

    "one that has to start anew does, although what it requires is back, and one that is upgraded is left alone" {
        DependentsPlan.steps(listOf(running(base), Seat(middle, running = true, shaken = "it failed"))) shouldBe
            listOf(Rest("middle", "it failed"))
        DependentsPlan.steps(listOf(lost, Seat(middle, running = true, upgrading = true))) shouldBe emptyList()
    }

    "whatever fails and comes back, nobody runs without what it requires for long, and all come back in order" {
        repeat(1_000) { seed ->
            val random = Random(seed)
            val infos = List(7) { at ->
                info("d$at", "1.0.0", *List(at) { "d$it" }.filter { random.nextInt(3) == 0 }.toTypedArray())
            }.shuffled(random)
            val seats = infos.associate { it.name to running(it) }.toMutableMap()

            fun needing(name: String) = seats.values.filter { other -> other.info.requires.any { it.name == name } }

            fun settle() {
                repeat(100) {
                    val step = DependentsPlan.steps(seats.values.toList()).randomOrNull(random) ?: return
                    val seat = seats.getValue(step.name)
                    withClue("seed $seed: $step") {
                        when (step) {
                            is Rest -> {
                                if (seat.running) needing(step.name).none { it.running } shouldBe true
                                seats[step.name] = resting(seat.info, step.why)
                            }
                            is Resume -> {
                                seat.info.requires.all { seats.getValue(it.name).running } shouldBe true
                                seats[step.name] = running(seat.info)
                            }
                        }
                    }
                }
                error("seed $seed: it never settles")
            }
            val fails = infos.filter { random.nextInt(4) == 0 }
            for (info in fails) {
                seats[info.name] = Seat(info, running = false, failure = broken)
                if (random.nextBoolean()) settle()
            }
            settle()
            val above = fails.flatMap { Dependencies.above(it.name, infos) }.toSet() + fails.map { it.name }
            for (seat in seats.values) seat.running shouldBe (seat.name !in above)
            for (info in fails) {
                seats[info.name] = running(info)
                if (random.nextBoolean()) settle()
            }
            settle()
            seats.values.all { it.running } shouldBe true
        }
    }
})
