package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.kernel.driver.isolate.leak.LeakReport
import dev.arraywright.spi.device.DeviceHealth
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withTimeout
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class DriverSupervisorSpec : StringSpec({
    fun TestScope.house(script: Script = Script(), policy: CrashPolicy = CrashPolicy(jitter = 0.0)) =
        FakeHouse(backgroundScope, testScheduler.timeSource, script, policy = policy)

    suspend fun FakeHouse.load(settings: Map<String, String> = emptyMap()) = driver.load(candidate, settings)

    fun TestScope.pass(time: Duration) {
        testScheduler.advanceTimeBy(time)
        testScheduler.runCurrent()
    }

    val sick = DeviceHealth(DeviceHealth.Status.FAILED, "no power")

    "a driver goes all the way up, and all the way down" {
        runTest {
            with(house()) {
                load(mapOf("a" to "b"))
                driver.state.value shouldBe DriverState.Running
                port.serving shouldBe instances.single()
                instances.single().settings shouldBe mapOf("a" to "b")
                driver.notes shouldBe listOf("instance 1")
                driver.unload() shouldBe emptyList()
                driver.state.value shouldBe DriverState.Unloading
                port.refusal shouldBe "it is unloaded"
                pass(1.seconds)
                states shouldBe listOf(
                    "Loading",
                    "Loaded",
                    "Initializing",
                    "Initialized",
                    "Starting",
                    "Running",
                    "Stopping",
                    "Stopped",
                    "Unloading",
                    "Unloaded",
                )
                log shouldBe listOf("load#1", "initialize#1", "start#1", "running", "stop#1", "close#1", "release#1")
                shouldThrow<KernelError.Closed> { driver.configure(mapOf("a" to "c")) }
            }
        }
    }

    for (step in listOf("initialize", "start")) {
        for ((act, why) in listOf(Act.Hang to "its $step() hangs", Act.Throw("no") to "its $step() failed: no")) {
            "a driver whose $step does $act is failed and let go of, and may be loaded again" {
                runTest {
                    with(house(Script().on("$step#1", act))) {
                        val error = shouldThrow<KernelError.DriverUnusable> { load() }
                        error.why shouldBe why
                        error.details shouldContain "org.example"
                        currentTime shouldBe if (act == Act.Hang) 10_000 else 0
                        driver.state.value shouldBe DriverState.Failed(why)
                        log.takeLast(2) shouldBe listOf("close#1", "release#1")
                        watched shouldBe 1
                        load()
                        driver.state.value shouldBe DriverState.Running
                    }
                }
            }
        }
    }

    for (at in listOf("load", "initialize", "start", "reconfigure")) {
        "an error of the kernel's own on the way of a $at is told, and the driver can be tried again" {
            runTest {
                // Each second time it goes well.
                var calls = 0
                val breaking = object : Script() {
                    override fun act(step: String, instance: Int) =
                        if (step == at && ++calls % 2 == 1) Act.Break(OutOfMemoryError("no memory left")) else Act.Fine
                }
                with(house(breaking)) {
                    withTimeout(1.minutes) {
                        if (at == "reconfigure") {
                            load()
                            shouldThrow<OutOfMemoryError> { driver.configure(mapOf("a" to "b")) }
                        } else {
                            val told = shouldThrow<KernelError.DriverUnusable> { load() }
                            told.why shouldBe "java.lang.OutOfMemoryError: no memory left"
                            driver.state.value shouldBe DriverState.Failed(told.why)
                            load()
                            instances.last().status = sick
                            // The same when it is restarted, which comes back to it by itself.
                            pass(31.seconds)
                            driver.state.value shouldBe DriverState.Failed(told.why)
                            pass(2.seconds)
                        }
                        driver.state.value shouldBe DriverState.Running
                        driver.unload() shouldBe emptyList()
                    }
                    instances.all { it.released } shouldBe true
                }
            }
        }
    }

    "a driver that cannot be loaded is failed, and unloaded without a proof" {
        runTest {
            with(house(Script().on("load", Act.Throw("no class")))) {
                shouldThrow<KernelError.DriverUnusable> { load() }
                driver.state.value shouldBe DriverState.Failed("no class")
                driver.unload()
                driver.state.value shouldBe DriverState.Unloaded
            }
        }
    }

    "a driver that hangs while it stops and closes is unloaded within its grace, and what hung is told" {
        runTest {
            with(house(Script().on("stop", Act.Hang).on("close", Act.Hang))) {
                load()
                driver.unload() shouldBe listOf("its stop() hangs", "its close() hangs")
                currentTime shouldBe 10_000
                states.takeLast(3) shouldBe listOf("Stopping", "Failed", "Unloading")
                pass(1.seconds)
                driver.state.value shouldBe DriverState.Unloaded
            }
        }
    }

    "what stays in memory is leaked" {
        runTest {
            with(house()) {
                load()
                instances.single().leaves = LeakOutcome.Leaked(LeakReport("ram#1", emptyList(), emptyList()))
                driver.unload()
                pass(1.seconds)
                driver.state.value.shouldBeInstanceOf<DriverState.Leaked>().report shouldContain "in memory still"
            }
        }
    }

    "a driver that says it has failed is restarted after a pause, from its jar" {
        runTest {
            with(house()) {
                load()
                instances[0].status = sick
                pass(30.seconds)
                driver.state.value shouldBe DriverState.Failed("it says that it has failed: no power")
                port.refusal shouldContain "no power"
                log.takeLast(4) shouldBe listOf(
                    "stop#1",
                    "close#1",
                    "release#1",
                    "crashed: it says that it has failed: no power; 1s",
                )
                pass(1.seconds)
                driver.state.value shouldBe DriverState.Running
                log.takeLast(4) shouldBe listOf("again#2", "initialize#2", "start#2", "running")
                port.serving shouldBe instances[1]
            }
        }
    }

    for (act in listOf(Act.Hang, Act.Throw("oops"))) {
        "a health check that does $act is a failure" {
            runTest {
                with(house(Script().on("health#1", act))) {
                    load()
                    pass(37.seconds)
                    val words = if (act == Act.Hang) "its health() hangs" else "its health() failed: oops"
                    log shouldContain "crashed: $words; 1s"
                    driver.state.value shouldBe DriverState.Running
                    port.serving shouldBe instances[1]
                }
            }
        }
    }

    "pauses double up to the longest, and then comes quarantine, which a load lifts" {
        runTest {
            val policy = CrashPolicy(restarts = 4, longest = 4.seconds, jitter = 0.0)
            val script = Script().on("health#1", Act.Throw("oops")).on("start", Act.Throw("still"))
                .on("start#1", Act.Fine)
            with(house(script, policy)) {
                load()
                pass(10.minutes)
                log.filter { it.startsWith("crashed") }.map { it.substringAfter("; ") } shouldBe
                    listOf("1s", "2s", "4s", "4s")
                log.last() shouldBe "quarantined: its start() failed: still; 5"
                driver.state.value shouldBe DriverState.Failed("its start() failed: still", quarantined = true)
                instances.size shouldBe 5
                pass(10.minutes)
                instances.size shouldBe 5
                script.on("start", Act.Fine)
                load()
                driver.state.value shouldBe DriverState.Running
            }
        }
    }

    "failures that are long ago do not count" {
        runTest {
            with(house(policy = CrashPolicy(restarts = 1, window = 5.minutes, jitter = 0.0))) {
                load()
                repeat(4) {
                    instances.last().status = sick
                    pass(31.seconds)
                    driver.state.value shouldBe DriverState.Running
                    pass(6.minutes)
                }
                instances.last().status = sick
                pass(31.seconds)
                instances.last().status = sick
                pass(31.seconds)
                driver.state.value shouldBe DriverState.Failed("it says that it has failed: no power", true)
            }
        }
    }

    "a pause has a random part" {
        val policy = CrashPolicy(jitter = 0.5)
        val pauses = (1..100).map { policy.pause(2, Random(it))!! }
        pauses.all { it in 2.seconds..3.seconds } shouldBe true
        (pauses.toSet().size > 50) shouldBe true
        policy.pause(6, Random(1)) shouldBe null
    }

    "a failed driver with open devices is kept until the next one has taken them over" {
        runTest {
            with(house()) {
                load()
                port.devices = 3
                instances[0].status = sick
                pass(30.seconds)
                instances[0].released shouldBe false
                pass(1.seconds)
                driver.state.value shouldBe DriverState.Running
                log.takeLast(8) shouldBe listOf(
                    "again#2",
                    "initialize#2",
                    "start#2",
                    "handOver#2",
                    "running",
                    "stop#1",
                    "close#1",
                    "release#1",
                )
            }
        }
    }

    "where devices cannot be taken over, the old driver keeps them even in quarantine, and unloading ends it" {
        runTest {
            with(house(policy = CrashPolicy(restarts = 1, jitter = 0.0))) {
                load()
                port.devices = 3
                port.refusesHandOver = true
                instances[0].status = sick
                pass(1.minutes)
                driver.state.value shouldBe DriverState.Failed("the new one opens nothing", quarantined = true)
                instances.map { it.released } shouldBe listOf(false, true)
                driver.unload() shouldBe emptyList()
                instances.map { it.released } shouldBe listOf(true, true)
                port.devices shouldBe 0
            }
        }
    }

    "unloading does not wait for the pause before a restart, and nothing comes after it" {
        runTest {
            with(house()) {
                load()
                instances[0].status = sick
                pass(30.seconds)
                driver.unload()
                pass(1.minutes)
                instances.size shouldBe 1
                driver.state.value shouldBe DriverState.Unloaded
            }
        }
    }

    "changed settings are taken by a driver that can, and by a restart of one that cannot" {
        runTest {
            with(house()) {
                load(mapOf("a" to "1"))
                driver.configure(mapOf("a" to "1"))
                driver.configure(mapOf("a" to "2"))
                instances.single().settings shouldBe mapOf("a" to "2")
                instances.single().reconfigures = false
                driver.configure(mapOf("a" to "3"))
                instances.map { it.settings } shouldBe listOf(mapOf("a" to "2"), mapOf("a" to "3"))
                driver.settings shouldBe mapOf("a" to "3")
                instances[0].released shouldBe true
                states.last() shouldBe "Running"
                log.count { it.startsWith("reconfigure") } shouldBe 2
            }
        }
    }

    "settings that a driver cannot take are refused, and it goes on with those it has" {
        runTest {
            with(house(Script().on("reconfigure#1", Act.Throw("no")).on("start#2", Act.Throw("neither")))) {
                load(mapOf("a" to "1"))
                shouldThrow<KernelError.DriverUnusable> { driver.configure(mapOf("a" to "2")) }.why shouldContain "no"
                driver.settings shouldBe mapOf("a" to "1")
                script.on("reconfigure#1", Act.Fine)
                instances.single().reconfigures = false
                shouldThrow<KernelError.DriverUnusable> { driver.configure(mapOf("a" to "2")) }.why shouldContain
                    "neither"
                driver.settings shouldBe mapOf("a" to "1")
                driver.state.value shouldBe DriverState.Running
                port.serving shouldBe instances[0]
                instances.map { it.released } shouldBe listOf(false, true)
            }
        }
    }

    "another version takes over beside the old one, which goes on if that fails" {
        runTest {
            with(house(Script().on("start#2", Act.Hang))) {
                load()
                port.devices = 2
                shouldThrow<KernelError.DriverUnusable> { driver.replace(candidate("2.0.0"), emptyMap()) }
                port.serving shouldBe instances[0]
                driver.info.version.toString() shouldBe "1.0.0"
                port.refusesHandOver = true
                shouldThrow<KernelError.DriverUnusable> { driver.replace(candidate("2.0.0"), emptyMap()) }
                port.serving shouldBe instances[0]
                instances.map { it.released } shouldBe listOf(false, true, true)
                port.refusesHandOver = false
                driver.replace(candidate("2.0.0"), mapOf("a" to "b")).devices shouldBe 2
                driver.info.version.toString() shouldBe "2.0.0"
                instances.map { it.released } shouldBe listOf(true, true, true, false)
                log.takeLast(4) shouldBe listOf("handOver#4", "stop#1", "close#1", "release#1")
                states.count { it == "Running" } shouldBe 1
            }
        }
    }

    "who waits for its turn when the driver is unloaded is told so" {
        runTest {
            with(house(Script().on("stop", Act.Hang))) {
                load()
                val unloading = async { driver.unload() }
                runCurrent()
                val late = async { runCatching { driver.replace(candidate("2.0.0"), emptyMap()) } }
                unloading.await()
                late.await().exceptionOrNull().shouldBeInstanceOf<KernelError.Closed>()
            }
        }
    }
})
