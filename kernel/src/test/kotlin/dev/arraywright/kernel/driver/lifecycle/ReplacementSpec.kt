package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverRequirement
import dev.arraywright.kernel.driver.DriverVersion
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlin.random.Random

@OptIn(ExperimentalCoroutinesApi::class)
class ReplacementSpec : StringSpec({
    class Member(val supervisor: DriverSupervisor, val port: FakePort)

    class Fleet(scope: TestScope, val random: Random) {
        var chance = 0.0
        val house = FakeHouse(
            scope.backgroundScope,
            scope.testScheduler.timeSource,
            object : Script() {
                override fun act(step: String, instance: Int): Act = when {
                    random.nextDouble() >= chance -> Act.Fine
                    step != "load" && random.nextBoolean() -> Act.Hang
                    else -> Act.Throw("oops")
                }
            },
        )
        val infos = List(random.nextInt(1, 6)) { at ->
            val needs = List(at) { "d$it" }.filter { random.nextInt(3) == 0 }
            info("d$at", "1.0.0", *needs.map { "$it ^1" }.toTypedArray())
        }
        val members = infos.associate { info ->
            val port = FakePort()
            val driver = DriverSupervisor(offer(info), emptyMap(), port, house)
            driver.launchIn(scope.backgroundScope)
            info.name to Member(driver, port)
        }

        fun next(info: DriverInfo, version: String = "2.0.0") = info.copy(
            version = DriverVersion.parse(version),
            requires = info.requires.map { DriverRequirement(it.name) },
        )

        fun change(info: DriverInfo) = Change(members.getValue(info.name).supervisor, offer(info), mapOf("a" to "b"))
    }

    fun List<String>.numbers(step: String) =
        filter { it.startsWith("$step#") }.map { it.substringAfter('#').toInt() }

    "whatever fails on the way, all are new or all are old, in order, and nothing is left behind" {
        var done = 0
        var refused = 0
        repeat(600) { seed ->
            runTest {
                val random = Random(seed)
                val fleet = Fleet(this, random)
                for (info in fleet.infos) {
                    fleet.members.getValue(info.name).run {
                        supervisor.load(offer(info), emptyMap())
                    }
                }
                val first = fleet.house.instances.toList()
                val from = fleet.house.log.size
                val group = fleet.infos.filter { random.nextInt(3) > 0 }
                fleet.members.values.forEach { it.port.devices = random.nextInt(3) }
                if (random.nextInt(8) == 0) fleet.members.values.random(random).port.refusesHandOver = true
                fleet.chance = random.nextDouble(0.2)
                val failure = try {
                    Replacement(fleet.house, group.map { fleet.change(fleet.next(it)) }).run()
                    null
                } catch (e: KernelError) {
                    e
                }
                fleet.chance = 0.0
                if (failure == null) done++ else refused++
                val log = fleet.house.log.drop(from)
                val fresh = fleet.house.instances.drop(first.size)
                withClue("seed $seed: $log") {
                    for (info in fleet.infos) {
                        val member = fleet.members.getValue(info.name)
                        val new = failure == null && info in group
                        member.supervisor.state.value shouldBe DriverState.Running
                        member.supervisor.info.version.toString() shouldBe if (new) "2.0.0" else "1.0.0"
                        member.supervisor.settings shouldBe if (new) mapOf("a" to "b") else emptyMap()
                        member.port.serving shouldBe (if (new) fresh else first).single { it.of.name == info.name }
                    }
                    val live = fleet.house.instances.filter { !it.released }
                    live.toSet() shouldBe fleet.members.values.map { it.port.serving }.toSet()
                    // New ones start as they are needed, before any device moves; what loses is stopped from the top.
                    val starts = log.numbers("start")
                    starts shouldBe fresh.map { it.number }.take(starts.size)
                    fresh.map { it.of.name } shouldBe group.map { it.name }.take(fresh.size)
                    val losers = if (failure == null) first.filter { it.of in group } else fresh
                    val stops = log.numbers("stop")
                    stops shouldBe losers.map { it.number }.filter { it in stops }.reversed()
                    if (failure == null && group.isNotEmpty()) {
                        stops.size shouldBe group.size
                        val moved = log.indexOfLast { it.startsWith("handOver") }
                        log.drop(moved + 1).numbers("stop") shouldBe stops
                        log.take(moved).numbers("start") shouldBe starts
                    }
                }
            }
        }
        println("$done groups upgraded, $refused refused")
        (done > 100 && refused > 100) shouldBe true
    }

    "what serves is shown before the old ones are ended, which takes its time" {
        runTest {
            val script = Script().on("stop", Act.Hang)
            val house = FakeHouse(backgroundScope, testScheduler.timeSource, script)
            house.driver.load(house.candidate, emptyMap())
            var shownAt: Long? = null
            house.onChange = { if ("${house.driver.info.version}" == "2.0.0" && shownAt == null) shownAt = currentTime }
            house.driver.replace(house.candidate("2.0.0"), emptyMap())
            shownAt shouldBe 0
            currentTime shouldBe house.deadlines.stop.inWholeMilliseconds
        }
    }

    "groups that have drivers in common, and loads and settings in between, come one after the other" {
        repeat(100) { seed ->
            runTest {
                val fleet = Fleet(this, Random(seed))
                for (info in fleet.infos) {
                    fleet.members.getValue(info.name).run {
                        supervisor.load(offer(info), emptyMap())
                    }
                }
                List(8) { at ->
                    async {
                        if (at % 4 == 3) {
                            fleet.members.values.random(fleet.random).supervisor.configure(mapOf("at" to "$at"))
                        } else {
                            val group = fleet.infos.filter { fleet.random.nextBoolean() }
                            Replacement(fleet.house, group.map { fleet.change(fleet.next(it, "1.$at.0")) }).run()
                        }
                    }
                }.awaitAll()
                val live = fleet.house.instances.filter { !it.released }
                live.toSet() shouldBe fleet.members.values.map { it.port.serving }.toSet()
                live.size shouldBe fleet.infos.size
            }
        }
    }
})
