package dev.arraywright.hardware.numa

import dev.arraywright.hardware.device.LoopDevice
import dev.arraywright.hardware.device.needs
import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.hardware.linux.DeviceNumber
import dev.arraywright.hardware.linux.FileStatus
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class DeviceNumaNodeSpec : StringSpec({
    val root = TreeFixture.of("numa-chain")
    val nodes = DeviceNodes(SystemTree(root.resolve("sys")), SystemTree(root.resolve("proc")), ::status)

    fun node(name: String) = nodes.ofNumber(SystemTree(root.resolve("sys")).text("class/block/$name/dev")!!)

    "a disk's node is that of the first bridge above it that tells" {
        node("nvme0n1").node shouldBe 0
        node("nvme0n1").why shouldBe "devices/pci0000:3a/0000:3a:00.0"
        node("nvme1n1").node shouldBe 1
        node("sda").node shouldBe 0
    }

    "a partition is on its disk's node" {
        node("nvme0n1p1").node shouldBe 0
        node("sdb1").node shouldBe 0
        node("md127p1").node shouldBe 0
    }

    "md and device-mapper are on the node of all their members, or on none" {
        node("md127").node shouldBe 0
        node("dm-0").node shouldBe 0
        node("dm-1").node shouldBe 0
        node("dm-2").node shouldBe 0
        node("md0").run {
            node shouldBe -1
            why shouldBe "nvme0n1p1 is on node 0, nvme1n1 is on node 1"
        }
        node("md2").run {
            node shouldBe -1
            why shouldContain "gone"
        }
    }

    "a namespace of several controllers is on the node of all of them, or on none" {
        node("nvme2n1").node shouldBe 1
        node("nvme4n1").run {
            node shouldBe -1
            why shouldBe "nvme4 is on node 0, nvme5 is on node 1"
        }
        node("nvme4n2").why shouldBe "no controller leads to nvme4n2"
    }

    "a loop device is where its file is: on a device, a device itself, on a btrfs of several, under an overlay" {
        node("loop0").node shouldBe 0
        node("loop2").node shouldBe 0
        node("loop3").node shouldBe 0
        node("loop7").node shouldBe 1
        nodes.ofPath("/a mount/file").node shouldBe 1
        nodes.ofPath("/merged/image.img").node shouldBe 0
    }

    "memory, networks and what is gone are on none, and it says so" {
        node("loop1").why shouldBe "/tmp is tmpfs from tmpfs, which is no device here"
        node("loop4").why shouldBe "there is no /srv/old.img (deleted) to be reached"
        node("loop6").why shouldContain "nfs4 from server:/home"
        node("zram0").why shouldBe "zram0 has no hardware below it"
        node("vda").why shouldBe "nothing above vda tells its node"
        nodes.ofNumber("1:1").why shouldBe "sysfs has no block device 1:1"
        nodes.ofPath("/nowhere").node shouldBe -1
    }

    "what is part of itself ends" {
        node("md1").why shouldContain "md1 is part of itself"
        node("loop5").why shouldContain "is part of itself"
    }

    "a chain that is too long ends" {
        val long = TreeFixture.write(
            (0..400).flatMap {
                listOf(
                    "sys/dev/block/253:$it -> ../../devices/virtual/block/dm-$it",
                    "sys/devices/virtual/block/dm-$it/slaves/dm-${it + 1} -> ../../dm-${it + 1}",
                )
            },
        )
        DeviceNodes(SystemTree(long.resolve("sys"))).ofNumber("253:0").why shouldContain "more than 256 devices"
    }

    "on this machine a loop device is where its file's disk is".config(enabledOrReasonIf = needs(Peers.LOOP)) {
        val file = scratchFile(1 shl 20)
        LoopDevice(file).use { loop ->
            deviceNumaNode(loop.path).node shouldBe deviceNumaNode("$file").node
        }
        deviceNumaNode("$file").node shouldBeGreaterThanOrEqual -1
        deviceNumaNode("/dev/none").why shouldContain "/dev/none"
    }
})

private const val BLOCK = 0x6000

/** What stat says of the fixture's files: the device they are on, and for devices which they are. */
private fun status(path: String): FileStatus? =
    when (path) {
        "/srv/image.img", "/srv/upper" -> file(253, 0)
        "/tmp/image.img" -> file(0, 40)
        "/data/image.img" -> file(0, 51) // a subvolume's number, which mountinfo does not have
        "/merged/image.img" -> file(0, 60)
        "/a mount/file" -> file(259, 3)
        "/circle/loop5.img" -> file(7, 5)
        "/home/me/image.img" -> file(0, 70)
        "/dev/nvme1n1" -> file(0, 6, mode = BLOCK, represents = DeviceNumber(259, 3))
        "/dev/sda1" -> file(0, 6, mode = BLOCK, represents = DeviceNumber(8, 1))
        else -> null
    }

private fun file(major: Int, minor: Int, mode: Int = 0x8000, represents: DeviceNumber = DeviceNumber(0, 0)) =
    FileStatus(mode, DeviceNumber(major, minor), 1, represents, 0, 0, 4096, null, null)
