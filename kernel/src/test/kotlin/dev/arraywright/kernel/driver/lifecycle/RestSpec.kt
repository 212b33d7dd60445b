package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.spi.device.DeviceHealth
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes

@OptIn(ExperimentalCoroutinesApi::class)
class RestSpec : StringSpec({
    fun TestScope.house(policy: CrashPolicy = CrashPolicy(jitter = 0.0)) =
        FakeHouse(backgroundScope, testScheduler.timeSource, policy = policy)

    suspend fun FakeHouse.load() = driver.load(candidate, emptyMap())

    fun TestScope.pass(time: Duration) {
        testScheduler.advanceTimeBy(time)
        testScheduler.runCurrent()
    }

    val sick = DeviceHealth(DeviceHealth.Status.FAILED, "no power")

    "a driver that rests opens nothing, leaves its open devices alone, and resumes with them; no crash is counted" {
        runTest {
            with(house(policy = CrashPolicy(restarts = 0))) {
                load()
                driver.resume()
                for (devices in listOf(2, 0)) {
                    port.devices = devices
                    val before = instances.last()
                    driver.rest("it requires base, which failed")
                    driver.state.value shouldBe DriverState.Failed("it requires base, which failed")
                    port.serving shouldBe null
                    before.released shouldBe (devices == 0)
                    pass(10.minutes)
                    driver.rest("it requires base, which is in quarantine")
                    driver.state.value shouldBe DriverState.Failed("it requires base, which is in quarantine")
                    unmet = "it requires base, which failed again"
                    driver.resume()
                    driver.state.value shouldBe DriverState.Failed("it requires base, which failed again")
                    driver.waiting shouldBe true
                    unmet = null
                    driver.resume()
                    driver.state.value shouldBe DriverState.Running
                    driver.waiting shouldBe false
                    before.released shouldBe true
                    port.serving shouldBe instances.last()
                }
                instances.size shouldBe 3
                log.none { it.startsWith("crashed") || it.startsWith("quarantined") } shouldBe true
                log.count { it.startsWith("waiting") } shouldBe 2
                log.count { it.startsWith("handOver") } shouldBe 1
            }
        }
    }

    "a failed driver is not restarted while what it requires does not run" {
        runTest {
            with(house()) {
                load()
                unmet = "it requires base, which failed"
                instances[0].status = sick
                pass(10.minutes)
                instances.size shouldBe 1
                driver.state.value shouldBe DriverState.Failed("it requires base, which failed")
                unmet = null
                driver.resume()
                driver.state.value shouldBe DriverState.Running
            }
        }
    }
})
