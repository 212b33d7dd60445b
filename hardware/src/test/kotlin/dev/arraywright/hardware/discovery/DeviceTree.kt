package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.discovery.sysfs.SysfsProbe
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.deleteIfExists
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText

/** A `/sys` and a `/proc` on disk, whose devices come and go as the kernel's do. Paths are below `/sys`. */
internal class DeviceTree(val root: Path = scratchDirectory()) {
    val sys: Path = root.resolve("sys").createDirectories()
    val proc: Path = root.resolve("proc").createDirectories()
    private var sequence = 100
    private val mounted = LinkedHashMap<String, String>()

    init {
        for (listing in listOf("class/block", "block", "bus/pci/devices", "class/nvme")) {
            sys.resolve(listing).createDirectories()
        }
        proc.resolve("self").createDirectories()
    }

    fun probe() = SysfsProbe(SystemTree(sys), SystemTree(proc))

    /** A SAS disk [name] on host 0. */
    fun disk(name: String, number: String, wwid: String?, size: Long = 2048, target: Int = 0): String {
        val device = "$HBA/host0/target0:0:$target/0:0:$target:0"
        val path = "$device/block/$name"
        write("$device/model", "DISK")
        write("$device/vendor", "MAKER")
        if (wwid == null) sys.resolve("$device/wwid").deleteIfExists() else write("$device/wwid", wwid)
        link("$path/device", device)
        whole(path, name, number, size)
        return path
    }

    fun virtual(name: String, number: String, size: Long, members: List<String> = emptyList()): String {
        val path = "devices/virtual/block/$name"
        whole(path, name, number, size)
        for (member in members) {
            link("$path/slaves/${member.substringAfterLast('/')}", member)
            link("$member/holders/$name", path)
        }
        return path
    }

    fun partition(disk: String, part: Int, number: String, size: Long): String {
        val name = disk.substringAfterLast('/') + part
        val path = "$disk/$name"
        block(path, name, number, size, "DEVTYPE=partition\nPARTN=$part")
        return path
    }

    fun write(path: String, text: String) {
        sys.resolve(path).apply { parent.createDirectories() }.writeText("$text\n")
    }

    /** As the kernel removes it: from the lists, its members' holders, and the tree, with all below it. */
    fun remove(path: String) {
        val gone = sys.resolve(path)
        if (!gone.exists()) return
        val inside = Files.walk(gone).use { all -> all.filter { Files.isDirectory(it) }.toList() }
        for (directory in inside) {
            val name = directory.fileName.toString()
            for (listing in listOf("class/block", "block", "bus/pci/devices", "class/nvme")) {
                val link = sys.resolve("$listing/$name")
                if (Files.isSymbolicLink(
                        link,
                    ) && link.parent.resolve(Files.readSymbolicLink(link)).normalize() == directory
                ) {
                    Files.delete(link)
                }
            }
            val slaves = directory.resolve("slaves").toFile().list().orEmpty()
            for (slave in slaves) directory.resolve("slaves/$slave/holders/$name").deleteIfExists()
        }
        // File.deleteRecursively would follow the links to holders
        Files.walk(gone).use { all -> all.sorted(Comparator.reverseOrder()).forEach(Files::delete) }
    }

    fun mount(number: String, point: String?) {
        if (point == null) mounted.remove(number) else mounted[number] = point
        val lines = mounted.map { (device, place) -> "40 27 $device / $place rw - ext4 /dev/x rw" }
        proc.resolve("self/mountinfo").writeText(lines.joinToString("\n"))
    }

    fun exists(path: String): Boolean = sys.resolve(path).exists()

    fun number(path: String): String = sys.resolve("$path/dev").readText().trim()

    fun controller() {
        write("$HBA/class", "0x010700")
        write("$HBA/uevent", "DRIVER=mpt3sas")
        write("$HBA/numa_node", "1")
        link("$HBA/subsystem", "bus/pci")
        link("bus/pci/devices/0000:5e:00.0", HBA)
    }

    private fun whole(path: String, name: String, number: String, size: Long) {
        for (figure in listOf("logical_block_size", "physical_block_size")) write("$path/queue/$figure", "512")
        write("$path/queue/rotational", "1")
        write("$path/removable", "0")
        block(path, name, number, size, "DEVTYPE=disk\nDISKSEQ=${sequence++}")
    }

    private fun block(path: String, name: String, number: String, size: Long, more: String) {
        for (side in listOf("holders", "slaves")) sys.resolve("$path/$side").createDirectories()
        val (major, minor) = number.split(':')
        write("$path/size", "$size")
        write("$path/ro", "0")
        write("$path/dev", number)
        write("$path/uevent", "MAJOR=$major\nMINOR=$minor\nDEVNAME=$name\n$more")
        link("$path/subsystem", "class/block")
        link("class/block/$name", path)
        if ("disk" in more) link("block/$name", path)
    }

    fun link(path: String, target: String) {
        val link = sys.resolve(path).apply { parent.createDirectories() }
        link.deleteIfExists()
        link.createSymbolicLinkPointingTo(link.parent.relativize(sys.resolve(target)))
    }

    companion object {
        const val HBA: String = "devices/pci0000:5d/0000:5e:00.0"

        /** What a `devices.tree` alone has, since rooms' files may differ on what both have. */
        fun fixture(name: String): DeviceTree {
            val file = checkNotNull(DeviceTree::class.java.getResource("/trees/$name/devices.tree")) { "no tree $name" }
            val root = TreeFixture.write(file.readText().lines())
            return DeviceTree(root)
        }
    }
}

/** By kernel name. */
internal fun Map<DeviceId, HardwareDevice>.named(name: String): HardwareDevice = values.single { it.name == name }
