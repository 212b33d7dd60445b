@file:OptIn(kotlinx.coroutines.ExperimentalCoroutinesApi::class)

package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.hotplug.Signal
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import java.io.IOException
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class HardwareMonitorSpec : StringSpec({
    class Rig(val test: TestScope, events: Boolean = true) {
        val probe = FakeProbe(world(device("a")))
        val hotplug = FakeHotplug()
        val monitor = HardwareMonitor(
            test.backgroundScope.coroutineContext,
            probe,
            hotplug.takeIf { events },
            StandardTestDispatcher(test.testScheduler),
            test.testScheduler.timeSource,
        )

        fun after(milliseconds: Int) {
            test.advanceTimeBy(milliseconds.milliseconds)
            test.runCurrent()
        }

        fun signal(path: String) = hotplug.signal(Signal.Device(path))
    }

    fun rig(events: Boolean = true, block: suspend Rig.() -> Unit) = runTest {
        Rig(this, events).apply { after(0) }.block()
    }

    "the first look is at once, and a late subscriber sees what is there" {
        rig {
            monitor.devices.value shouldBe probe.world
            monitor.changes.first() shouldBe HardwareChange.Added(device("a"))
            monitor.status.value.run {
                fullLooks shouldBe 1
                degraded.shouldBeNull()
            }
        }
    }

    "events are gathered from the first on, and then there is one look at those devices" {
        rig {
            probe.world = world(device("a"), device("b"))
            signal("devices/a")
            after(400)
            signal("devices/b")
            signal("devices/a")
            after(99)
            probe.looks.size shouldBe 1
            after(1)
            probe.looks.last().paths shouldBe setOf("devices/a", "devices/b")
            monitor.devices.value shouldBe probe.world
            monitor.status.value.latency shouldBe 500.milliseconds
            after(5000)
            probe.looks.size shouldBe 2
        }
    }

    "mounts that change are looked at without any device" {
        rig {
            hotplug.signal(Signal.Mounts)
            after(500)
            probe.looks.last().paths shouldBe emptySet()
        }
    }

    "lost events are made good by a full look, and a storm of names as well" {
        rig {
            signal("devices/a")
            hotplug.signal(Signal.Lost)
            after(500)
            probe.looks.last().paths.shouldBeNull()
            monitor.status.value.overflows shouldBe 1
            repeat(10_000) { signal("devices/$it") }
            after(500)
            probe.looks.last().paths.shouldBeNull()
            probe.looks.size shouldBe 3
        }
    }

    "a forged event is counted, and nothing else" {
        rig {
            hotplug.signal(Signal.Forged)
            after(1000)
            probe.looks.size shouldBe 1
            signal("devices/a")
            after(500)
            monitor.status.value.forged shouldBe 1
        }
    }

    "every minute there is a full look, and every five seconds where there are no events" {
        rig {
            probe.world = world(device("b"))
            after(59_999)
            monitor.devices.value shouldBe world(device("a"))
            after(1)
            monitor.devices.value shouldBe probe.world
        }
        rig(events = false) {
            probe.world = world(device("b"))
            after(5000)
            monitor.devices.value shouldBe probe.world
            monitor.status.value.source shouldBe "polling"
        }
    }

    "a rescan does not wait for the batch, and returns when the outcome is there" {
        rig {
            probe.world = world(device("b"))
            signal("devices/b")
            monitor.rescan()
            monitor.devices.value shouldBe probe.world
            test.testScheduler.currentTime shouldBe 0
            monitor.rescan("devices/c")
            probe.looks.last().paths shouldBe setOf("devices/c")
        }
    }

    "a look that fails leaves what was, says so, and is tried again" {
        rig {
            probe.failure = IOException("no /sys today")
            shouldThrow<IOException> { monitor.rescan() }.cause!!.message shouldBe "no /sys today"
            monitor.devices.value shouldBe world(device("a"))
            monitor.status.value.degraded shouldBe "no /sys today"
            probe.failure = null
            probe.world = world(device("b"))
            after(5000)
            monitor.devices.value shouldBe probe.world
            monitor.status.value.degraded.shouldBeNull()
        }
    }

    "a device that does not answer is left as it was, and does not hide the others" {
        rig {
            probe.hanging["devices/dying"] = CompletableDeferred()
            probe.world = world(device("b"))
            signal("devices/b")
            after(500)
            monitor.devices.value shouldBe world(device("a"))
            after(10_000)
            monitor.devices.value shouldBe world(device("b"))
            monitor.status.value.degraded shouldBe "no answer from devices/dying"
            probe.looks.last().skipped shouldBe setOf("devices/dying")
            probe.hanging.remove("devices/dying")!!.complete(Unit)
            after(0)
            probe.looks.last().skipped shouldBe emptySet()
            monitor.status.value.degraded.shouldBeNull()
        }
    }

    "when too many hang it stops to look, and goes on when one returns" {
        rig {
            repeat(6) { probe.hanging["devices/$it"] = CompletableDeferred() }
            val asked = test.async { runCatching { monitor.rescan() } }
            after(60_000)
            asked.await().exceptionOrNull()!!.cause!!.message!! shouldContain "devices/3"
            val looks = probe.looks.size
            looks shouldBe 5
            shouldThrow<IOException> { monitor.rescan() }
            after(120_000)
            probe.looks.size shouldBe looks
            val gates = probe.hanging.values.toList()
            probe.hanging.clear()
            probe.world = world(device("b"))
            gates.forEach { it.complete(Unit) }
            after(0)
            monitor.devices.value shouldBe probe.world
            monitor.status.value.degraded.shouldBeNull()
        }
    }

    "a slow subscriber holds up nobody, and catches up" {
        rig {
            val slow = Replay()
            test.backgroundScope.launch {
                monitor.changes.collect {
                    slow.apply(it)
                    delay(10.seconds)
                }
            }
            after(0)
            repeat(50) {
                probe.world = world(device("a", size = it * 512L), device("b$it"))
                signal("devices/a")
                after(500)
                monitor.devices.value shouldBe probe.world
            }
            after(5.minutes.inWholeMilliseconds.toInt())
            slow.devices shouldBe probe.world
            (slow.steps.size < 30) shouldBe true
        }
    }

    "closing ends it, also while a look hangs, and twice is once" {
        rig {
            probe.hanging["devices/dying"] = CompletableDeferred()
            val asked = test.async { runCatching { monitor.rescan() } }
            after(0)
            monitor.close()
            monitor.close()
            after(0)
            asked.await().exceptionOrNull()!!.message!! shouldContain "closed"
            hotplug.closed shouldBe 1
            shouldThrow<IOException> { monitor.rescan() }.message!! shouldContain "closed"
            val looks = probe.looks.size
            after(200_000)
            probe.looks.size shouldBe looks
        }
    }

    "it ends with its parent, who does not wait for a look that hangs" {
        runTest {
            val parent = Job()
            val probe = FakeProbe().apply { hanging["devices/dying"] = CompletableDeferred() }
            val hotplug = FakeHotplug()
            val dispatcher = StandardTestDispatcher(testScheduler)
            val monitor = HardwareMonitor(dispatcher + parent, probe, hotplug, dispatcher, testScheduler.timeSource)
            runCurrent()
            parent.cancelAndJoin()
            hotplug.closed shouldBe 1
            shouldThrow<IOException> { monitor.rescan() }
        }
    }
})
