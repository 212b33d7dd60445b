package dev.arraywright.hardware.discovery.sysfs

import dev.arraywright.hardware.discovery.DeviceFlag.ACCELERATOR
import dev.arraywright.hardware.discovery.DeviceFlag.BLOCK
import dev.arraywright.hardware.discovery.DeviceFlag.GPU
import dev.arraywright.hardware.discovery.DeviceFlag.LOOP
import dev.arraywright.hardware.discovery.DeviceFlag.NVME_CONTROLLER
import dev.arraywright.hardware.discovery.DeviceFlag.NVME_NAMESPACE
import dev.arraywright.hardware.discovery.DeviceFlag.OPTICAL
import dev.arraywright.hardware.discovery.DeviceFlag.PARTITION
import dev.arraywright.hardware.discovery.DeviceFlag.PCI
import dev.arraywright.hardware.discovery.DeviceFlag.SAS
import dev.arraywright.hardware.discovery.DeviceFlag.SATA
import dev.arraywright.hardware.discovery.DeviceFlag.SCSI
import dev.arraywright.hardware.discovery.DeviceFlag.STORAGE_CONTROLLER
import dev.arraywright.hardware.discovery.DeviceFlag.USB
import dev.arraywright.hardware.discovery.DeviceFlag.VIRTIO
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.DeviceTree
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.hardware.discovery.Look
import dev.arraywright.hardware.discovery.named
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs

class SysfsProbeSpec : StringSpec({
    suspend fun devices(
        tree: String,
    ): Map<DeviceId, HardwareDevice> = DeviceTree.fixture(tree).probe().look(Look()).devices

    fun Map<DeviceId, HardwareDevice>.free() = values.filter { it.isFree }.map { it.name }

    "the server's disks and controllers have their names, places and nodes" {
        val all = devices("server")
        val disk = all.named("sda")
        disk.id.toString() shouldBe "wwn:naa.5000c500a0000001"
        disk.flags shouldBe setOf(BLOCK, SCSI, SAS)
        disk.path shouldBe "/dev/sda"
        disk.number shouldBe "8:0"
        disk.size shouldBe 23437770752 * 512
        disk.logicalBlockSize shouldBe 512
        disk.physicalBlockSize shouldBe 4096
        disk.model shouldBe "SEAGATE ST12000NM0027"
        disk.serial shouldBe "ZJV00001"
        disk.firmware shouldBe "E004"
        disk.transport shouldBe "sas"
        disk.rotational shouldBe true
        disk.numaNode shouldBe 0
        disk.pciAddress shouldBe "0000:5e:00.0"
        all.getValue(disk.parent!!).run {
            name shouldBe "0000:5e:00.0"
            flags shouldBe setOf(PCI, STORAGE_CONTROLLER)
            children.map { all.getValue(it).name }.shouldContainExactlyInAnyOrder("sda", "sdb", "sdc")
        }
        all.named("sdc").flags shouldBe setOf(BLOCK, SCSI, SAS, SATA)
        all.named("sdc").model shouldBe "INTEL SSDSC2KB96"
        all.named("sdd").transport shouldBe "sata"
        all.named("sdd").serial shouldBe "WD-WCC7K0000004"
        all.named("sde").run {
            flags shouldBe setOf(BLOCK, SCSI, USB)
            removable shouldBe true
            id.toString() shouldBe "serial:Ultra-4C530001230101"
        }
        all.named("0000:af:00.0").run {
            flags shouldBe setOf(PCI, GPU, ACCELERATOR)
            numaNode shouldBe 1
            id.toString() shouldBe "path:pci-0000:af:00.0"
        }
        all.named("eth0").run {
            id.toString() shouldBe "path:pci-0000:18:00.0-net-0"
            all.getValue(parent!!).name shouldBe "0000:18:00.0"
        }
        all.values.none { it.name == "lo" || it.name == "0000:17:00.0" } shouldBe true
    }

    "the server's NVMe drives are function, controller, namespace and partition" {
        val all = devices("server")
        val namespace = all.named("nvme0n1")
        namespace.id.toString() shouldBe "wwn:eui.36344730520000010025384500000001"
        namespace.flags shouldBe setOf(BLOCK, NVME_NAMESPACE)
        namespace.transport shouldBe "pcie"
        val controller = all.getValue(namespace.parent!!)
        controller.flags shouldBe setOf(NVME_CONTROLLER)
        controller.path shouldBe "/dev/nvme0"
        controller.firmware shouldBe "GDC5602Q"
        controller.id.toString() shouldBe "serial:controller-SAMSUNG_MZQL21T9HCJR-00A07-S64GNE0R000001"
        all.getValue(controller.parent!!).name shouldBe "0000:3b:00.0"
        all.named("nvme0n1p2").run {
            id.value shouldBe namespace.id.value + "-part2"
            parent shouldBe namespace.id
            (PARTITION in flags) shouldBe true
            serial shouldBe "S64GNE0R000001"
            numaNode shouldBe 0
        }
    }

    "whoever is used says by whom, through whatever is in between" {
        val all = devices("server")
        val uses = all.values.mapNotNull { device -> device.inUse?.let { device.name to it } }.toMap()
        uses["md127"] shouldBe "mounted at /data"
        uses["sda1"] shouldBe "mounted at /data through md127"
        uses["sda"] shouldBe "mounted at /data through sda1, md127"
        uses["0000:5e:00.0"] shouldBe "mounted at /data through sda, sda1, md127"
        uses["nvme0n1p1"] shouldBe "mounted at /srv/images through dm-0"
        uses["nvme0n1p2"] shouldBe "mounted at /"
        uses["nvme0n1"] shouldBe "mounted at /srv/images through nvme0n1p1, dm-0"
        uses["sde"] shouldBe "mounted at /media/My stick through sde1"
        uses["nvme1n1"].shouldBeNull()
        all.free().shouldContainExactlyInAnyOrder("nvme1n1", "sdc", "sdd", "loop0")
        all.named("sda1").holders shouldBe setOf(all.named("md127").id)
        all.named("md127").members shouldBe setOf(all.named("sda1").id, all.named("sdb1").id)
        all.named("md127").id.toString() shouldBe "serial:md-uuid-0b6e5f4e-9c1a-4f0e-8a55-0f62d5a1c001"
        all.named("dm-0").model shouldBe "vg0-images"
    }

    "a loop device has its file, or no size" {
        val all = devices("server")
        all.named("loop0").run {
            id.toString() shouldBe "path:loop0"
            backingFile shouldBe "/srv/images/disk one.img"
            flags shouldBe setOf(BLOCK, LOOP)
            sequence shouldBe 10
        }
        all.named("loop1").run {
            size shouldBe 0
            isFree shouldBe false
        }
    }

    "the KVM guest's swap, optical drive, and file system on two disks" {
        val all = devices("kvm")
        all.named("vda").id.toString() shouldBe "serial:vol-0a1b2c3d"
        all.named("vda").flags shouldBe setOf(BLOCK, VIRTIO)
        all.named("vda2").run {
            mounts shouldBe listOf("swap")
            inUse shouldBe "in use as swap"
        }
        all.named("sda").id.toString() shouldBe "wwn:t10.ATA_QEMU_HARDDISK_QM00000"
        all.named("sda").mounts shouldBe listOf("/backup", "/back up/home")
        all.named("sdb").id.toString() shouldBe "serial:QEMU_HARDDISK-drive-scsi1"
        all.named("sdb").inUse shouldBe "mounted at /backup"
        all.named("sr0").flags shouldBe setOf(BLOCK, SCSI, OPTICAL, SATA)
        all.named("sr0").id.toString() shouldBe "path:pci-0000:00:1f.2-ata1-scsi-0:0:0"
        all.named("vda").numaNode.shouldBeNull()
        all.free().shouldBeEmpty()
    }

    "the Firecracker guests' disks are known by their place" {
        val mmio = devices("firecracker")
        mmio.named("vda").id.toString() shouldBe "path:platform-LNRO0005:00"
        mmio.named("vda").inUse shouldBe "mounted at /"
        mmio.named("vdb").readOnly shouldBe true
        mmio.free().shouldBeEmpty()
        val pci = devices("firecracker-pci")
        pci.named("vda").pciAddress shouldBe "0000:00:02.0"
        pci.getValue(pci.named("vda").parent!!).flags shouldBe setOf(PCI, STORAGE_CONTROLLER, VIRTIO)
    }

    "a container without /sys has no devices" {
        devices("container").keys.shouldBeEmpty()
    }

    "the lab's four drives are each on their node" {
        val all = devices("lab")
        val drives = all.values.filter { NVME_NAMESPACE in it.flags }.sortedBy { it.serial }
        drives.map { it.serial } shouldBe listOf("LAB0000", "LAB0001", "LAB0002", "LAB0003")
        drives.map { it.numaNode } shouldBe listOf(0, 1, 0, 1)
        drives.all { it.isFree && it.id.kind == DeviceId.Kind.WWN } shouldBe true
    }

    "two disks that claim one name stay two, and the first attached keeps it" {
        val tree = DeviceTree()
        tree.disk("sdb", "8:16", "naa.1", target = 1)
        tree.disk("sda", "8:0", "naa.1", target = 0)
        val all = tree.probe().look(Look()).devices
        all.named("sdb").id.toString() shouldBe "wwn:naa.1"
        all.named("sda").id.toString() shouldBe "path:pci-0000:5e:00.0-scsi-0:0:0"
    }

    "a namespace with several controllers is behind the first, and its hidden paths are none" {
        val tree = DeviceTree()
        val subsystem = "devices/virtual/nvme-subsystem/nvme-subsys0"
        val controller = "devices/pci0000:00/0000:3b:00.0/nvme/nvme0"
        tree.write("$controller/uevent", "MAJOR=240\nMINOR=0\nDEVNAME=nvme0")
        tree.write("$controller/transport", "pcie")
        tree.link("class/nvme/nvme0", controller)
        tree.link("$subsystem/nvme0", controller)
        tree.write("$controller/nvme0c0n1/uevent", "DEVTYPE=disk")
        tree.link("class/block/nvme0c0n1", "$controller/nvme0c0n1")
        tree.write("$subsystem/nvme0n1/uevent", "MAJOR=259\nMINOR=0\nDEVNAME=nvme0n1\nDEVTYPE=disk")
        tree.write("$subsystem/nvme0n1/size", "4096")
        tree.link("class/block/nvme0n1", "$subsystem/nvme0n1")
        val all = tree.probe().look(Look()).devices
        all.values.map { it.name }.shouldContainExactlyInAnyOrder("nvme0", "nvme0n1")
        all.named("nvme0n1").run {
            parent shouldBe all.named("nvme0").id
            pciAddress shouldBe "0000:3b:00.0"
            transport shouldBe "pcie"
            id.toString() shouldBe "path:pci-0000:3b:00.0-nvme-1"
        }
    }

    "a loop device over a disk uses it" {
        val tree = DeviceTree()
        tree.disk("sda", "8:0", "naa.1")
        tree.write(tree.virtual("loop0", "7:0", 2048) + "/loop/backing_file", "/dev/sda")
        val all = tree.probe().look(Look()).devices
        all.named("sda").inUse shouldBe "part of loop0"
        all.named("loop0").members shouldBe setOf(all.named("sda").id)
    }

    "what changes of a disk is told of its partitions, and the other devices are the same objects" {
        val tree = DeviceTree()
        val disk = tree.disk("sda", "8:0", "naa.1", target = 0)
        tree.partition(disk, 1, "8:1", 64)
        tree.disk("sdb", "8:16", "naa.2", target = 1)
        tree.controller()
        val first = tree.probe().look(Look())
        tree.write("$disk/queue/physical_block_size", "4096")
        tree.write("$disk/size", "8")
        val again = tree.probe().look(Look(first, setOf(disk))).devices
        again shouldBe tree.probe().look(Look()).devices
        again.named("sda").size shouldBe 4096
        again.named("sda1").physicalBlockSize shouldBe 4096
        again.named("sdb") shouldBeSameInstanceAs first.devices.named("sdb")
    }

    "what a PCI function's uevent tells is as its files have it" {
        val tree = DeviceTree()
        tree.controller()
        val function = DeviceTree.HBA
        tree.write("$function/vendor", "0x1af4")
        tree.write("$function/device", "0x1001")
        val files = tree.probe().look(Look()).devices
        tree.write("$function/uevent", "DRIVER=virtio-pci\nPCI_CLASS=10700\nPCI_ID=1AF4:1001")
        for (file in listOf("class", "vendor", "device")) tree.write("$function/$file", "")
        tree.probe().look(Look()).devices shouldBe files
        files.values.single().flags shouldBe setOf(PCI, STORAGE_CONTROLLER, VIRTIO)
    }

    "accelerators are found by their class" {
        val tree = DeviceTree()
        val function = "devices/pci0000:00/0000:b1:00.0"
        tree.write("$function/uevent", "DRIVER=habanalabs")
        tree.write("$function/class", "0x120000")
        tree.link("bus/pci/devices/0000:b1:00.0", function)
        tree.write("$function/accel/accel0/uevent", "MAJOR=261\nMINOR=0\nDEVNAME=accel/accel0")
        tree.link("class/accel/accel0", "$function/accel/accel0")
        val all = tree.probe().look(Look()).devices
        all.named("accel0").path shouldBe "/dev/accel/accel0"
        all.named("accel0").parent shouldBe all.named("0000:b1:00.0").id
        all.values.all { ACCELERATOR in it.flags } shouldBe true
    }
})
