package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.kernel.driver.serve.DriverMeter
import dev.arraywright.kernel.driver.serve.ServedDriver
import dev.arraywright.spi.device.DeviceHealth
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

@OptIn(ExperimentalCoroutinesApi::class)
class DependentsSpec : StringSpec({
    class Scene(private val scope: TestScope) {
        val house = FakeHouse(scope.backgroundScope, scope.testScheduler.timeSource)
        val roster = DriverRoster(Clock.System)
        val dependents = Dependents(scope.backgroundScope, roster, Mutex())
        val infos = listOf(info("base"), info("over", "1.0.0", "base ^1"), info("top", "1.0.0", "over"))

        suspend fun start() {
            for (info in infos) {
                val meter = DriverMeter(house.time)
                val port = ServedDriver(info.name, meter, house::changed)
                val driver = DriverSupervisor(offer(info), emptyMap(), port, house)
                driver.launchIn(scope.backgroundScope)
                roster.add(DriverEntry(driver, port, meter))
                driver.load(offer(info), emptyMap())
            }
            house.onChange = dependents::changed
            dependents.launch()
        }

        fun states() = infos.map { roster[it.name]!!.supervisor.state.value.name }

        fun steps() = house.log.filter { it.startsWith("start") || it.startsWith("stop") }
    }

    fun TestScope.pass(time: Duration) {
        testScheduler.advanceTimeBy(time)
        testScheduler.runCurrent()
    }

    fun scene(block: suspend TestScope.(Scene) -> Unit) = runTest {
        val scene = Scene(this)
        scene.start()
        block(scene)
    }

    val sick = DeviceHealth(DeviceHealth.Status.FAILED, "no power")

    "those that require a driver that fails stop in reverse, and start in order when it is back" {
        scene { scene ->
            scene.house.instances[0].status = sick
            pass(30.seconds)
            scene.states() shouldBe listOf("Failed", "Failed", "Failed")
            pass(1.seconds)
            scene.states() shouldBe listOf("Running", "Running", "Running")
            scene.steps() shouldBe List(3) { "start#${it + 1}" } + listOf("stop#1", "stop#3", "stop#2") +
                List(3) { "start#${it + 4}" }
            scene.house.instances.drop(3).map { it.of.name } shouldBe listOf("base", "over", "top")
        }
    }

    "one that is back before anybody looked has those start anew that require it, once" {
        scene { scene ->
            scene.dependents.failing(scene.infos[0])
            scene.dependents.changed()
            runCurrent()
            scene.states() shouldBe listOf("Running", "Running", "Running")
            scene.house.instances.drop(3).map { it.of.name } shouldBe listOf("over", "top")
            pass(10.minutes)
            scene.house.instances.size shouldBe 5
        }
    }
})
