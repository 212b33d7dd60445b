@file:OptIn(kotlinx.coroutines.ExperimentalCoroutinesApi::class)

package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.hotplug.Signal
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.maps.shouldContainExactly
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Devices come and go at random, some unheard; what the monitor shows must be what a fresh look shows. */
class HardwareModelSpec : StringSpec({
    for (seed in 1..SEEDS) {
        "the monitor agrees with a fresh look, and its changes with it (seed $seed)" {
            runTest { Run(this, seed).go() }
        }
    }
}) {
    private class Run(private val test: TestScope, private val seed: Int) {
        private val random = Random(seed)
        private val tree = DeviceTree().apply { controller() }
        private val hotplug = FakeHotplug()
        private val monitor = HardwareMonitor(
            test.backgroundScope.coroutineContext,
            tree.probe(),
            hotplug,
            StandardTestDispatcher(test.testScheduler),
            test.testScheduler.timeSource,
        )
        private val replays = ArrayList<Replay>()
        private var unheard = false
        private val log = ArrayList<String>()

        suspend fun go() {
            subscribe(slow = false)
            subscribe(slow = true)
            repeat(STEPS) { step ->
                if (step == random.nextInt(STEPS)) subscribe(slow = random.nextBoolean())
                edit()
                if (random.nextInt(3) == 0) settle() else advance(random.nextInt(700))
            }
            hotplug.signal(Signal.Lost)
            unheard = false
            settle()
            subscribe(slow = false)
            advance(10 * 60 * 1000)
            for (replay in replays) withClue(log) { replay.devices shouldContainExactly monitor.devices.value }
        }

        private fun subscribe(slow: Boolean) {
            val replay = Replay().also { replays += it }
            test.backgroundScope.launch {
                monitor.changes.collect {
                    replay.apply(it)
                    if (slow) delay(1.seconds)
                }
            }
            test.runCurrent()
        }

        private fun advance(milliseconds: Int) {
            test.advanceTimeBy(milliseconds.milliseconds)
            test.runCurrent()
        }

        /** Long enough for what was heard, and for what was not if it was that. */
        private suspend fun settle() {
            if (unheard) advance(1.minutes.inWholeMilliseconds.toInt()) else advance(500)
            unheard = false
            val fresh = tree.probe().look(Look()).devices
            withClue("seed $seed: $log") {
                monitor.devices.value shouldContainExactly fresh
                replays.first().devices shouldContainExactly fresh
            }
        }

        private fun edit() {
            val slot = random.nextInt(4)
            val disk = "${DeviceTree.HBA}/host0/target0:0:$slot/0:0:$slot:0/block/sd${'a' + slot}"
            val part = "$disk/sd${'a' + slot}1"
            val array = "devices/virtual/block/md$slot"
            when (val what = random.nextInt(9)) {
                0 -> heard("attach $slot", disk) {
                    tree.remove(disk)
                    tree.disk("sd${'a' + slot}", "8:${slot * 16}", WWIDS.random(random), size(), slot)
                }
                1 -> heard("detach $slot", part, disk) { tree.remove(disk) }
                2 -> if (tree.exists(disk)) heard("grow $slot", disk) { tree.write("$disk/size", "${size()}") }
                3 -> if (tree.exists(disk))
                    heard("cut $slot", part) {
                        tree.partition(disk, 1, "8:${slot * 16 + 1}", 64)
                    }
                4 -> heard("join $slot", part) { tree.remove(part) }
                5 -> heard("assemble $slot", array) {
                    val members = (0..3).map { "${DeviceTree.HBA}/host0/target0:0:$it/0:0:$it:0/block/sd${'a' + it}" }
                    tree.remove(array)
                    tree.virtual(
                        "md$slot",
                        "9:$slot",
                        size(),
                        members.filter {
                            tree.exists(it) && random.nextBoolean()
                        },
                    )
                }
                6 -> heard("stop $slot", array) { tree.remove(array) }
                else -> {
                    val number = listOf("8:${slot * 16}", "8:${slot * 16 + 1}", "9:$slot").random(random)
                    log += "mount $number $what"
                    tree.mount(number, "/m$slot".takeIf { what == 7 })
                    say(Signal.Mounts)
                }
            }
        }

        private fun heard(what: String, vararg paths: String, change: () -> Unit) {
            change()
            log += what
            for (path in paths.toList().shuffled(random)) say(Signal.Device(path))
        }

        private fun say(signal: Signal) {
            when (random.nextInt(12)) {
                0 -> unheard = true
                1 -> hotplug.signal(Signal.Lost)
                else -> hotplug.signal(signal)
            }
            if (unheard) log += "unheard"
        }

        private fun size() = random.nextLong(1, 100) * 8
    }

    private companion object {
        const val SEEDS = 24
        const val STEPS = 40
        val WWIDS = listOf("naa.5000c500a0000001", "naa.5000c500a0000002", "naa.0", null)
    }
}
