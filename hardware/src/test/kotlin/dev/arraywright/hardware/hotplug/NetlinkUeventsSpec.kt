package dev.arraywright.hardware.hotplug

import dev.arraywright.hardware.device.needs
import dev.arraywright.hardware.device.run
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.hardware.discovery.HardwareMonitor
import dev.arraywright.hardware.discovery.LoopControl
import dev.arraywright.hardware.discovery.SUBSYSTEMS
import dev.arraywright.hardware.discovery.named
import dev.arraywright.hardware.discovery.sysfs.SysfsProbe
import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Epoll
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import java.lang.foreign.Arena
import java.lang.foreign.ValueLayout.JAVA_LONG
import java.nio.file.Path
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

class NetlinkUeventsSpec : StringSpec({
    val loops = needs(Peers.LOOP)

    fun Poller.heldUp(): Pair<CountDownLatch, AutoCloseable> {
        val (reached, go) = CountDownLatch(1) to CountDownLatch(1)
        val event = Descriptor.event()
        val watch = watch(event, Epoll.EPOLLIN) {
            reached.countDown()
            go.await(60, TimeUnit.SECONDS)
        }
        Arena.ofConfined().use { arena ->
            event.write(arena.allocate(JAVA_LONG).apply { set(JAVA_LONG, 0, 1) }.address(), 8)
        }
        check(reached.await(30, TimeUnit.SECONDS))
        return go to AutoCloseable {
            go.countDown()
            watch.close()
            event.close()
        }
    }

    "a storm that does not fit is told as lost, and the monitor recovers by a full look".config(
        enabledOrReasonIf = loops,
    ) {
        val name = "loop${LoopControl.free()}"
        val file = scratchFile(1 shl 20)
        Poller().use { poller ->
            val job = Job()
            val probe = SysfsProbe(SystemTree.SYS, SystemTree.PROC)
            val hotplug = LinuxHotplug(poller, SUBSYSTEMS, buffer = 4096)
            val context = Dispatchers.Default + job
            HardwareMonitor(context, probe, hotplug, Dispatchers.IO, TimeSource.Monotonic).use { monitor ->
                monitor.rescan()
                LoopControl.add(name)
                try {
                    val (_, held) = poller.heldUp()
                    held.use {
                        repeat(500) { Path.of("/sys/block/$name/uevent").writeText("change") }
                        LoopControl.attach(name, file)
                    }
                    withTimeout(30.seconds) {
                        monitor.status.first { it.overflows > 0 }
                        monitor.devices.first { all -> all.values.any { it.backingFile == "$file" } }
                    }
                    monitor.devices.value.named(name).size shouldBe (1 shl 20)
                } finally {
                    LoopControl.detach(name)
                    LoopControl.remove(name)
                }
                withTimeout(30.seconds) { monitor.devices.first { all -> all.values.none { it.name == name } } }
            }
            job.cancel()
        }
    }

    "what another process sends is not believed".config(enabledOrReasonIf = needs("python3")) {
        val signals = LinkedBlockingQueue<Signal>()
        Poller().use { poller ->
            NetlinkUevents(poller, setOf("arraywright-spec")).use { uevents ->
                uevents.start(signals::add)
                val path = "/devices/virtual/block/forged"
                val message = "add@$path\\0ACTION=add\\0DEVPATH=$path\\0SUBSYSTEM=arraywright-spec\\0"
                run(
                    "python3",
                    "-c",
                    "import socket; s = socket.socket(16, socket.SOCK_RAW, 15); s.sendto(b'$message', (0, 1))",
                )
                signals.poll(30, TimeUnit.SECONDS) shouldBe Signal.Forged
            }
        }
    }

    "once closed it tells nothing, and closing again does no harm".config(enabledOrReasonIf = loops) {
        val signals = LinkedBlockingQueue<Signal>()
        Poller().use { poller ->
            val uevents = NetlinkUevents(poller, setOf("block"))
            uevents.start(signals::add)
            uevents.close()
            uevents.close()
            Path.of("/sys/block/loop0/uevent").writeText("change")
            NetlinkUevents(poller, setOf("block")).use { other ->
                val own = LinkedBlockingQueue<Signal>()
                other.start(own::add)
                Path.of("/sys/block/loop0/uevent").writeText("change")
                own.poll(30, TimeUnit.SECONDS)
            }
            signals.size shouldBe 0
        }
    }
})
