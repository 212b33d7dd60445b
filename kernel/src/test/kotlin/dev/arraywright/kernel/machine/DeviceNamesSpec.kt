package dev.arraywright.kernel.machine

import dev.arraywright.hardware.discovery.DeviceFlag
import dev.arraywright.hardware.discovery.DeviceId
import dev.arraywright.hardware.discovery.HardwareDevice
import dev.arraywright.kernel.KernelError
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Files
import kotlin.random.Random

class DeviceNamesSpec : StringSpec({
    fun device(name: String, serial: String? = null, vararg flags: DeviceFlag) = HardwareDevice(
        DeviceId(DeviceId.Kind.SERIAL, "x-$name"),
        name,
        setOf(DeviceFlag.BLOCK, *flags),
        "/dev/$name",
        serial = serial,
        size = 1,
    )

    val sda = device("sda", "ABC123")
    val sdb = device("sdb", "sda")
    val nvme = device("nvme0n1")
    val loop = device("loop7", null, DeviceFlag.LOOP)
    val controller =
        HardwareDevice(DeviceId(DeviceId.Kind.PATH, "pci-0000:3b:00.0"), "0000:3b:00.0", setOf(DeviceFlag.PCI))
    val all = listOf(sda, sdb, nvme, loop, controller)

    "a device goes by its id, path, name, serial number, and an address; a name is no other's serial number" {
        DeviceNames.find(all, "serial:x-nvme0n1") shouldBe nvme
        DeviceNames.find(all, "/dev/loop7") shouldBe loop
        DeviceNames.find(all, "block:/dev/sdb") shouldBe sdb
        DeviceNames.find(all, "sda") shouldBe sda
        DeviceNames.find(all, "ABC123") shouldBe sda
        DeviceNames.find(all, "0000:3b:00.0") shouldBe controller
    }

    "a symbolic link leads to a device" {
        val file = tempdir().resolve("disk").also { it.createNewFile() }.canonicalFile
        val link = Files.createSymbolicLink(file.toPath().resolveSibling("by-id"), file.toPath())
        DeviceNames.find(listOf(sda, nvme.copy(path = "$file")), "$link").name shouldBe "nvme0n1"
    }

    "what is near is named, nearest first; else the disks" {
        fun why(name: String, among: List<HardwareDevice> = all) =
            shouldThrow<KernelError.NotFound> { DeviceNames.find(among, name) }.also {
                it.what shouldBe "there is no device $name"
                it.remedy shouldContain "arraywright hardware list --all"
            }.why
        why("/dev/nvme1n1") shouldBe "did you mean /dev/nvme0n1?"
        why("sdc") shouldBe "did you mean /dev/sda or /dev/sdb?"
        why("Loop8") shouldBe "did you mean /dev/loop7?"
        why("0000:3c:00.0") shouldBe "did you mean 0000:3b:00.0?"
        why("/srv/m0.img") shouldBe "disks are /dev/nvme0n1, /dev/sda, /dev/sdb"
        why("none-of-them", List(10) { device("disk$it") }) shouldContain "and 2 more"
        why("none-of-them", listOf(controller)) shouldBe "there is no disk"
    }

    "no word does anything but find, or not" {
        val random = Random(4)
        repeat(1000) {
            val word = CharArray(random.nextInt(40)) {
                random.nextInt(if (random.nextBoolean()) 128 else 0x10000).toChar()
            }
                .concatToString()
            runCatching { DeviceNames.find(all, "/$word") }.onFailure { (it is KernelError.NotFound) shouldBe true }
        }
    }
})
