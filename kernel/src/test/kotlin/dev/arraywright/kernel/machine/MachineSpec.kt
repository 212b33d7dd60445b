package dev.arraywright.kernel.machine

import dev.arraywright.kernel.ArraySpec
import dev.arraywright.kernel.ArraywrightKernel
import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.event.HardwareChanged
import dev.arraywright.kernel.event.Topic
import dev.arraywright.kernel.spare.until
import dev.arraywright.raid.layout.RaidLevel
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.withTimeout
import kotlin.time.Duration.Companion.seconds

/** The real machine, whatever it is, as a kernel shows it. */
class MachineSpec : StringSpec({
    "a kernel knows the devices of its arrays as the machine does, and follows them" {
        val home = tempdir()
        val disks = List(3) { LoopDisk(home.resolve("disk-$it")) }
        try {
            ArraywrightKernel.start().use { kernel ->
                val machine = kernel.machine.shouldNotBeNull()
                val level = RaidLevel.RAID5
                kernel.createArray(ArraySpec("vault", level, disks.map { it.address }, assumeClean = true))
                withTimeout(30.seconds) {
                    machine.devices.first { all -> disks.all { disk -> all.values.any { it.path == disk.path } } }
                }
                val loop = machine.devices.value.values.first { it.path == disks[0].path }
                loop.size shouldBe (16L shl 20)
                loop.backingFile shouldBe home.resolve("disk-0").canonicalPath
                disks[0].grow()
                val told = kernel.until(Topic.HARDWARE_CHANGED).last().occurrence as HardwareChanged
                told.device shouldBe disks[0].path
                told.changes["size"] shouldBe "16777216 -> 33554432"
            }
        } finally {
            disks.forEach { it.close() }
        }
    }

    "a kernel tells what it runs on, how short memory is and what its disks' health is" {
        ArraywrightKernel.start().use { kernel ->
            val machine = kernel.machine.shouldNotBeNull()
            machine.capabilities.refresh()
            machine.capabilities["hypervisor"].shouldNotBeNull()
            machine.platform().machine.kind.name shouldBe
                machine.capabilities["hypervisor"]!!.details.getValue("kind").uppercase()
            machine.memory.refresh()
            machine.memory.status.value.isNotEmpty() shouldBe true
            machine.monitor.rescan()
            machine.health.reports.value.keys
                .all { id -> machine.devices.value.keys.any { it.toString() == id } } shouldBe true
        }
    }

    "a kernel that does not watch has no machine" {
        ArraywrightKernel.start(KernelOptions(watch = false)).use { it.machine.shouldBeNull() }
    }
})
