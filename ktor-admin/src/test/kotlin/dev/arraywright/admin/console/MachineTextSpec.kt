package dev.arraywright.admin.console

import dev.arraywright.admin.control.machine.ChangeView
import dev.arraywright.admin.control.machine.DeviceDetail
import dev.arraywright.admin.control.machine.NumaView
import dev.arraywright.admin.control.machine.Scene
import dev.arraywright.admin.control.machine.memory
import dev.arraywright.admin.control.machine.numa
import dev.arraywright.admin.control.machine.platform
import dev.arraywright.admin.control.machine.toView
import dev.arraywright.hardware.discovery.HardwareChange
import dev.arraywright.hardware.discovery.MonitorStatus
import dev.arraywright.hardware.platform.Capability
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class MachineTextSpec : StringSpec({
    val fine = MonitorStatus("sysfs", "uevents").toView()

    "devices are shown in a table, with what is known against them and who has them" {
        val devices = listOf(
            Scene.controller.toView(),
            Scene.loop.toView(),
            Scene.disk.toView(health = Scene.report.toView()),
            Scene.partition.toView("member of vault"),
            Scene.partition.copy(name = "p2", path = null, readOnly = true).toView(),
            Scene.partition.copy(name = "p3", path = null).toView(),
        )
        DeviceText.table(devices, fine, "none") shouldBe """
            |  Device          Size     Model        Serial  Transport  Flags                                   Node  Health   Use
            |  0000:3b:00.0    -        Example 980  -       -          nvme-controller,pci,storage-controller  1     -        -
            |  /dev/loop0      -        -            -       -          loop                                    -     -        no medium
            |  /dev/nvme0n1    1 TiB    Example 980  S64A    pcie       nvme-namespace                          1     failing  has partitions
            |  /dev/nvme0n1p1  512 GiB  -            -       -          partition                               -     -        member of vault
            |  p2              512 GiB  -            -       -          partition                               -     -        read-only
            |  p3              512 GiB  -            -       -          partition                               -     -        free
        """.trimMargin()
        DeviceText.table(emptyList(), fine, "none") shouldBe "none"
        DeviceText.table(devices, fine.copy(degraded = "a look hangs"), "none").lines().last() shouldBe
            "this may be out of date: a look hangs"
    }

    "a device is shown with what it stands on, what stands on it and its health" {
        val around = listOf(Scene.controller, Scene.partition).map { it.toView() }
        DeviceText.detail(DeviceDetail(Scene.disk.toView(health = Scene.report.toView()), around)) shouldBe """
            |/dev/nvme0n1:
            |            Id : wwn:eui.0025385b71b00a1c
            |          Name : nvme0n1
            |          Kind : block, nvme-namespace
            |        Number : 259:0
            |          Size : 1099511627776 bytes (1 TiB)
            |        Blocks : 512 bytes, 4096 physical
            |         Model : Example 980
            |        Serial : S64A
            |           WWN : eui.0025385b71b00a1c
            |      Firmware : GXA7
            |     Transport : pcie
            |        Medium : not rotating
            |     NUMA node : 1
            |           PCI : 0000:3b:00.0
            |      In sysfs : devices/pci0000:3a/0000:3b:00.0/nvme/nvme0/nvme0n1
            |            On : 0000:3b:00.0
            |         Parts : /dev/nvme0n1p1
            |           Use : has partitions
            |        Health : warning: 97 % of its life is used
            |       Checked : 2026-05-04T03:02:01Z; what follows is older
            |    Against it : 97 % of its life is used (failing, since 2026-05-04T03:02:01Z)
            |      Warns of : spare-low
            |   Temperature : 41 C, warns at 75 C
            |         Spare : 9 %, warns at 10 %
            |     Life used : 97 %
            |  Media errors : 3
            |       Sectors : 4 reallocated
            |    I/O errors : 0
            |         State : live
            |    Powered on : 23456 h, 12 unsafe shutdowns
            |       Traffic : 5 TiB written
            |       Latency : 2000 us
            |       Told by : nvme-log, kernel
            |     Life left : 12d by percentage-used, 0.25 a day
            |     No answer : array: it was late
            |      Not told : smartctl: smartctl is not installed
            |       History : the history is kept in memory only
        """.trimMargin()
    }

    "a change is one line" {
        fun line(change: HardwareChange) = DeviceText.change(ChangeView.of(change)!!)
        line(HardwareChange.Added(Scene.partition)) shouldBe "added    /dev/nvme0n1p1  512 GiB  partition  free"
        line(HardwareChange.Removed(Scene.disk)) shouldBe "removed  /dev/nvme0n1  wwn:eui.0025385b71b00a1c"
        line(
            HardwareChange.Changed(
                Scene.loop,
                Scene.loop.copy(size = 4096, mounts = listOf("/a", "/b")),
                setOf("size"),
            ),
        ) shouldBe "changed  /dev/loop0  size 0 -> 4096; mounts nothing -> /a, /b; free false -> true"
    }

    "capabilities are shown with why they are absent" {
        val shown = listOf(
            Capability.absent("numa", "one node", mapOf("nodes" to "1")),
            Capability.present("hypervisor", mapOf("kind" to "KVM", "evidence" to "long")),
        )
        MachineText.capabilities(
            shown.map {
                it.toView()
            },
        ) shouldBe """
            |  Capability  There  Details, or why not
            |  numa        no     one node; nodes=1
            |  hypervisor  yes    kind=KVM
        """.trimMargin()
    }

    "the platform is shown with its evidence" {
        MachineText.platform(platform().toView()) shouldBe """
            |Hypervisor: hyper-v (likely), its control domain
            |  CPUID leaf 0x40000000: calls itself "Microsoft Hv" (hyper-v, 90 of 100)
            |Container: none (guess)
            |Not read: /sys/class/dmi: there is no such file
        """.trimMargin()
    }

    "memory is shown with what it is judged by" {
        MachineText.memory(memory()) shouldBe """
            |    Pressure : medium, 3 MiB to give back, by psi
            |     Buffers : 16 MiB of 256 MiB in use, 4 MiB idle, 2 waiting
            |  Read cache : 8 MiB of 64 MiB, 7 hits, 3 misses, 1 evictions
            |     Balloon : no limit
            |   Gave back : 2026-05-04T03:02:01Z: buffers 1 MiB of 4 MiB asked, 512 KiB confirmed, for psi
            |  Source   Active  How, or why not
            |  psi      yes     the kernel wakes it
            |  balloon  no      there is no virtio balloon
        """.trimMargin()
    }

    "nodes are shown with how far they are from each other, or why there are none" {
        MachineText.numa(numa()) shouldBe """
            |  Node  Memory  Free   CPUs  To 0  To 2  Devices
            |  0     96 GiB  1 GiB  0-3   10    21    0000:18:00.0
            |  2     96 GiB  3 GiB  4,6   21    10    /dev/nvme1n1
        """.trimMargin()
        MachineText.numa(NumaView(absence = "the machine has one NUMA node")) shouldContain "one NUMA node"
        MachineText.ranges(emptyList()) shouldBe "-"
    }
})
