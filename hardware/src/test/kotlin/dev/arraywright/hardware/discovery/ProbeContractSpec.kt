package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.discovery.sysfs.SysfsProbe
import dev.arraywright.hardware.tree.SystemTree
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import oshi.hardware.HWDiskStore
import oshi.hardware.HWPartition
import java.nio.file.Path
import kotlin.io.path.isDirectory

/** What holds for whatever a probe sees, on captured machines and this one. */
class ProbeContractSpec : StringSpec({
    val probes = listOf("server", "kvm", "firecracker", "firecracker-pci", "container", "lab")
        .associate { "sysfs of $it" to { DeviceTree.fixture(it).probe() as Probe } } +
        mapOf(
            "oshi with given disks" to { OshiProbe { DISKS } },
            "oshi on this machine" to { OshiProbe() },
        ) +
        if (Path.of("/sys/class").isDirectory()) mapOf("sysfs of this machine" to { thisMachine() }) else emptyMap()

    for ((name, probe) in probes) {
        "$name: ids are unique and relations go both ways" {
            val all = probe().look(Look()).devices
            for ((id, device) in all) {
                device.id shouldBe id
                device.id.value.none(Char::isWhitespace) shouldBe true
                device.parent?.let { all.getValue(it).children shouldContain id }
                for (child in device.children) all.getValue(child).parent shouldBe id
                for (holder in device.holders) all.getValue(holder).members shouldContain id
                for (member in device.members) all.getValue(member).holders shouldContain id
            }
        }

        "$name: whoever has a user above it is in use, and not free" {
            val all = probe().look(Look()).devices
            for (device in all.values) {
                val above = device.children + device.holders
                if (device.mounts.isNotEmpty() || device.holders.isNotEmpty() || above.any {
                        all.getValue(it).inUse != null
                    }
                ) {
                    device.inUse.shouldNotBeNull()
                }
                if (device.inUse != null) device.isFree shouldBe false
            }
        }

        "$name: a second look sees the same objects, and a look at one device no other" {
            val seen = probe()
            val first = seen.look(Look())
            val second = seen.look(Look(first))
            val third = seen.look(Look(second, first.devices.values.take(3).mapTo(HashSet()) { it.sysPath }))
            for (again in listOf(second, third)) {
                again.devices shouldBe first.devices
                for ((id, device) in again.devices) device shouldBeSameInstanceAs first.devices[id]
            }
        }
    }

    "OSHI's disks have what it tells" {
        val all = OshiProbe { DISKS }.look(Look()).devices
        val disk = all.named("disk0")
        disk.id.toString() shouldBe "serial:WD_Blue-WD-1"
        disk.size shouldBe 1_000_000
        disk.inUse shouldBe "mounted at C: through Basic"
        all.named("disk1").id.toString() shouldBe "path:/dev/disk1"
        all.named("disk1").isFree shouldBe true
        all.named("disk2").id.toString() shouldBe "path:/dev/disk2"
        all.values.map { it.name } shouldContainAll listOf("disk1", "disk2", "Basic")
    }
}) {
    private companion object {
        fun thisMachine(): Probe = SysfsProbe(SystemTree.SYS, SystemTree.PROC)

        val SYSTEM = HWPartition("Disk #0, Partition #0", "Basic", "t", "u", 5000, 0, 0, "C:")

        val DISKS: List<HWDiskStore> = listOf(
            Disk("/dev/disk0", "WD Blue", "WD-1", 1_000_000, listOf(SYSTEM)),
            Disk("/dev/disk1", "unknown", "", 2_000_000),
            Disk("/dev/disk2", "WD Blue", "WD-1", 1_000_000),
            Disk("/dev/disk2", "WD Blue", "WD-1", 1_000_000),
        )
    }

    private class Disk(
        private val name: String,
        private val model: String,
        private val serial: String,
        private val size: Long,
        private val partitions: List<HWPartition> = emptyList(),
    ) : HWDiskStore {
        override fun getName() = name

        override fun getModel() = model

        override fun getSerial() = serial

        override fun getSize() = size

        override fun getPartitions() = partitions

        override fun getReads() = 0L

        override fun getReadBytes() = 0L

        override fun getWrites() = 0L

        override fun getWriteBytes() = 0L

        override fun getCurrentQueueLength() = 0L

        override fun getTransferTime() = 0L

        override fun getTimeStamp() = 0L

        override fun updateAttributes() = true
    }
}
