package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.device.LoopDevice
import dev.arraywright.hardware.device.needs
import dev.arraywright.hardware.device.run
import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.hardware.discovery.HardwareChange.Added
import dev.arraywright.hardware.discovery.HardwareChange.Changed
import dev.arraywright.hardware.discovery.HardwareChange.Removed
import dev.arraywright.hardware.linux.Poller
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.core.test.Enabled
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import java.io.RandomAccessFile
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** What the running kernel does with its devices, seen through its uevents. Other specs have loop devices, too. */
class HostDevicesSpec : StringSpec({
    val loops = needs(Peers.LOOP)

    "losetup's attach, resize and detach are one change each".config(enabledOrReasonIf = loops) {
        val file = scratchFile(1 shl 20)
        watching({ it.backingFile == "$file" }) { told ->
            val loop = LoopDevice(file)
            val attached = told.next("attach").device
            attached.path shouldBe loop.path
            attached.size shouldBe (1 shl 20)
            attached.isFree shouldBe true
            RandomAccessFile(file.toFile(), "rw").use { it.setLength(2 shl 20) }
            run("losetup", "--set-capacity", loop.path)
            told.next("resize").shouldBeInstanceOf<Changed>().run {
                after.size shouldBe (2 shl 20)
                fields shouldBe setOf("size")
            }
            loop.close()
            told.next("detach").shouldBeInstanceOf<Changed>().run {
                after.size shouldBe 0
                after.backingFile.shouldBeNull()
                after.id shouldBe attached.id
            }
            told.tryReceive().getOrNull().shouldBeNull()
        }
    }

    "a mount and its end are seen, though no device says so".config(enabledOrReasonIf = loops) {
        val file = scratchFile(4 shl 20)
        run("mkfs.ext4", "-q", "$file")
        LoopDevice(file).use { loop ->
            watching({ it.backingFile == "$file" }) { told ->
                told.next("first").shouldBeInstanceOf<Added>()
                val directory = scratchDirectory()
                run("mount", loop.path, "$directory")
                try {
                    told.next("mount").shouldBeInstanceOf<Changed>().run {
                        fields shouldBe setOf("mounts", "inUse")
                        after.inUse shouldBe "mounted at $directory"
                        after.isFree shouldBe false
                    }
                } finally {
                    run("umount", "$directory")
                }
                told.next("umount").device.inUse.shouldBeNull()
            }
        }
    }

    "a loop device that is made and removed comes and goes".config(enabledOrReasonIf = loops) {
        val name = "loop${LoopControl.free()}"
        watching({ it.name == name }) { told ->
            LoopControl.add(name)
            told.next("add").shouldBeInstanceOf<Added>().device.path shouldBe "/dev/$name"
            LoopControl.remove(name)
            told.next("remove").shouldBeInstanceOf<Removed>().device.name shouldBe name
            told.tryReceive().getOrNull().shouldBeNull()
        }
    }

    "zram that is made and removed comes and goes".config(enabledOrReasonIf = { zram() }) {
        watching({ DeviceFlag.ZRAM in it.flags }) { told ->
            val number = ZRAM.resolve("hot_add").readText().trim()
            val added = generateSequence { told.nextNow("add") }.first { it.device.name == "zram$number" }
            added.shouldBeInstanceOf<Added>()
            ZRAM.resolve("hot_remove").writeText(number)
            val removed = generateSequence { told.nextNow("remove") }.first { it.device.name == "zram$number" }
            removed.shouldBeInstanceOf<Removed>()
        }
    }

    "a thousand rapid cycles of attach and detach end in what is there".config(enabledOrReasonIf = loops) {
        val names = List(2) { "loop${LoopControl.free(it)}" }
        val files = List(2) { scratchFile((it + 1L) shl 20) }
        val seen = Channel<HardwareChange>(Channel.UNLIMITED)
        watching({ it.name in names }, seen) { told ->
            try {
                names.forEach(LoopControl::add)
                repeat(1000) {
                    LoopControl.attach(names[it % 2], files[it % 2])
                    LoopControl.detach(names[it % 2])
                }
                LoopControl.attach(names[1], files[1])
                // what the kernel says at the end, by events alone
                val last = names.associateWith { Path.of("/sys/block/$it/diskseq").readText().trim().toLong() }
                withTimeout(30.seconds) {
                    devices.first { all ->
                        all.values.filter { it.name in last }.associate { it.name to it.sequence } == last
                    }
                }
                devices.value.named(names[0]).backingFile.shouldBeNull()
                devices.value.named(names[1]).size shouldBe (2 shl 20)
                devices.value.named(names[1]).backingFile shouldBe "${files[1]}"
                val replay = Replay()
                while (replay.devices.values.toSet() != names.map { devices.value.named(it) }.toSet()) {
                    replay.apply(told.next("step"))
                }
            } finally {
                LoopControl.detach(names[1])
                names.forEach(LoopControl::remove)
            }
        }
    }
}) {
    private companion object {
        val ZRAM: Path = Path.of("/sys/class/zram-control")

        fun zram(): Enabled =
            if (ZRAM.resolve("hot_add").exists()) Enabled.enabled else Enabled.disabled("no zram on this kernel")

        suspend fun watching(
            whose: (HardwareDevice) -> Boolean,
            told: Channel<HardwareChange> = Channel(Channel.UNLIMITED),
            block: suspend HardwareMonitor.(Channel<HardwareChange>) -> Unit,
        ) {
            val scope = CoroutineScope(Dispatchers.Default + Job())
            val poller = Poller()
            try {
                HardwareMonitor.real(scope.coroutineContext, poller).use { monitor ->
                    monitor.rescan()
                    monitor.status.value.source shouldBe "uevents"
                    scope.launch {
                        monitor.changes.filter { whose(it.device) || (it as? Changed)?.before?.let(whose) == true }
                            .collect(told::send)
                    }
                    monitor.block(told)
                    println("    latency ${monitor.status.value.latency}, look ${monitor.status.value.lookTime}")
                }
            } finally {
                scope.cancel()
                poller.close()
            }
        }

        suspend fun Channel<HardwareChange>.next(what: String): HardwareChange =
            withTimeout(30.seconds) { receive() }.also { println("    $what: $it") }

        fun Channel<HardwareChange>.nextNow(what: String): HardwareChange =
            kotlinx.coroutines.runBlocking { next(what) }
    }
}
