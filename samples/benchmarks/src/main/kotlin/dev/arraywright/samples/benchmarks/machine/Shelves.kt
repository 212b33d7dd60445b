package dev.arraywright.samples.benchmarks.machine

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.createSymbolicLinkPointingTo
import kotlin.io.path.writeBytes
import kotlin.io.path.writeText

/**
 * A `/sys` and a `/proc` as a server with shelves of disks has them: of each ten block devices seven are SAS disks
 * behind expanders, two are NVMe namespaces, one is a partition of one of those; besides their controllers and PCI
 * functions. With files that nobody asks for, as directories are that long.
 */
internal class Shelves(root: Path, private val devices: Int) {
    val sys: Path = root.resolve("sys")
    val proc: Path = root.resolve("proc")
    private val disks = ArrayList<String>()
    private var sequence = 0

    /** Directories of whole disks, below [sys]. */
    val whole: List<String> get() = disks

    fun make() {
        for (list in listOf("class/block", "class/nvme", "class/net", "bus/pci/devices", "block", "dev/block")) {
            sys.resolve(list).createDirectories()
        }
        proc.resolve("self").createDirectories()
        proc.resolve("swaps").writeText("Filename\tType\tSize\tUsed\tPriority\n")
        var root = ""
        for (i in 0 until devices) {
            when (i % 10) {
                3, 6 -> root = namespace(i)
                7 -> partition(root, i)
                else -> sas(i)
            }
        }
        val mounts = listOf("24 1 259:7 / / rw,relatime shared:1 - ext4 /dev/nvme1n1p1 rw") +
            (1..30).map { "${24 + it} 24 0:$it / /sys/fs/cgroup/$it rw,nosuid - cgroup2 cgroup rw" }
        proc.resolve("self/mountinfo").writeText(mounts.joinToString("\n", postfix = "\n"))
    }

    private fun sas(i: Int) {
        val host = i / 240
        val bus = "%02x".format(0x10 + host)
        val function = "devices/pci0000:$bus/0000:$bus:00.0"
        if (i % 240 == 0) function(function, "0x010700", "1000", "mpt3sas", host % 2)
        val at = i % 240
        val expander = at / 60
        val target = "host$host/port-$host:$expander/expander-$host:$expander/port-$host:$expander:$at/" +
            "end_device-$host:$expander:$at/target$host:0:$at/$host:0:$at:0"
        val device = "$function/$target"
        files(device, SCSI + mapOf("wwid" to "naa.5000c500%08x".format(i), "sas_address" to "0x5000c500%08x".format(i)))
        val serial = "ZJV%05d".format(i)
        sys.resolve("$device/vpd_pg80").writeBytes(byteArrayOf(0, 0x80.toByte(), 0, 8) + serial.encodeToByteArray())
        sys.resolve("$device/inquiry").writeBytes(INQUIRY)
        link("$device/subsystem", "bus/scsi")
        val disk = "$device/block/sd${letters(i)}"
        link("$disk/device", device)
        disk(disk, "${8 + i / 16}:${i % 16 * 16}", rotational = true)
    }

    private fun namespace(i: Int): String {
        val bus = "%04x:%02x".format(1 + i / 200, i % 200)
        val function = "devices/pci$bus/$bus:00.0"
        function(function, "0x010802", "144d", "nvme", i % 2)
        val controller = "$function/nvme/nvme$i"
        files(controller, CONTROLLER + mapOf("serial" to "S4YN%08d".format(i), "address" to "$bus:00.0"))
        files(controller, mapOf("uevent" to "MAJOR=240\nMINOR=$i\nDEVNAME=nvme$i\nNVME_TRTYPE=pcie", "dev" to "240:$i"))
        link("$controller/subsystem", "class/nvme")
        link("$controller/device", function)
        link("class/nvme/nvme$i", controller)
        val disk = "$controller/nvme${i}n1"
        link("$disk/device", controller)
        files(disk, mapOf("wwid" to "eui.0025385%09x".format(i), "nsid" to "1", "eui" to "00 25 38 5b", "nuse" to "0"))
        disk(disk, "259:$i", rotational = false)
        return disk
    }

    private fun partition(disk: String, i: Int) {
        val name = disk.substringAfterLast('/') + "p1"
        val path = "$disk/$name"
        files(path, mapOf("partition" to "1", "start" to "2048"))
        block(path, "259:$i", "DEVTYPE=partition\nPARTN=1")
    }

    private fun disk(path: String, number: String, rotational: Boolean) {
        disks += path
        files("$path/queue", QUEUE + mapOf("rotational" to if (rotational) "1" else "0"))
        files(path, DISK)
        link("block/${path.substringAfterLast('/')}", path)
        block(path, number, "DEVTYPE=disk\nDISKSEQ=${++sequence}")
    }

    private fun block(path: String, number: String, more: String) {
        val name = path.substringAfterLast('/')
        for (side in listOf("holders", "slaves", "power")) sys.resolve("$path/$side").createDirectories()
        val (major, minor) = number.split(':')
        files(path, BLOCK + mapOf("dev" to number, "size" to "${23_437_770_752 + sequence}"))
        files(path, mapOf("uevent" to "MAJOR=$major\nMINOR=$minor\nDEVNAME=$name\n$more"))
        link("$path/subsystem", "class/block")
        link("class/block/$name", path)
        link("dev/block/$number", path)
    }

    private fun function(path: String, code: String, vendor: String, driver: String, node: Int) {
        val name = path.substringAfterLast('/')
        files(path, mapOf("class" to code, "vendor" to "0x$vendor", "device" to "0x00a5", "numa_node" to "$node"))
        val id = "PCI_CLASS=${code.drop(3)}\nPCI_ID=${vendor.uppercase()}:00A5"
        files(path, mapOf("uevent" to "DRIVER=$driver\n$id\nPCI_SLOT_NAME=$name", "irq" to "30"))
        link("$path/subsystem", "bus/pci")
        link("bus/pci/devices/$name", path)
    }

    private fun files(directory: String, texts: Map<String, String>) {
        val path = sys.resolve(directory).createDirectories()
        for ((name, text) in texts) path.resolve(name).writeText("$text\n")
    }

    private fun link(path: String, target: String) {
        val link = sys.resolve(path)
        link.parent.createDirectories()
        link.createSymbolicLinkPointingTo(link.parent.relativize(sys.resolve(target)))
    }

    private fun letters(i: Int): String = (if (i >= 26) letters(i / 26 - 1) else "") + ('a' + i % 26)

    companion object {
        private fun zeroes(vararg names: String) = names.associateWith { "0" }

        private val SCSI = mapOf("vendor" to "SEAGATE ", "model" to "ST12000NM0027   ", "rev" to "E004") +
            zeroes(
                "type",
                "iodone_cnt",
                "ioerr_cnt",
                "iorequest_cnt",
                "iocounterbits",
                "queue_depth",
                "state",
                "timeout",
            )

        /** Type, qualifier and flags, then the vendor, model and revision of the above. */
        private val INQUIRY = byteArrayOf(0, 0, 6, 0x12, 0x8b.toByte(), 1, 0x10, 2) +
            "SEAGATE ST12000NM0027   E004".encodeToByteArray()
        private val CONTROLLER = mapOf("model" to "SAMSUNG MZWLL1T6HAJQ-00005              ") +
            mapOf("firmware_rev" to "EPK9CB5Q", "transport" to "pcie", "state" to "live", "numa_node" to "0") +
            zeroes("cntlid", "queue_count", "sqsize", "subsysnqn")
        private val BLOCK = mapOf("ro" to "0", "stat" to "0 ".repeat(17)) +
            zeroes("alignment_offset", "discard_alignment", "inflight")
        private val DISK = mapOf("removable" to "0", "hidden" to "0") +
            zeroes("capability", "events", "events_async", "events_poll_msecs", "ext_range", "range", "diskseq")
        private val QUEUE = mapOf("logical_block_size" to "512", "physical_block_size" to "4096") +
            zeroes("add_random", "chunk_sectors", "dax", "discard_granularity", "fua", "hw_sector_size", "io_poll") +
            zeroes("iostats", "max_sectors_kb", "nr_requests", "read_ahead_kb", "scheduler", "write_cache", "zoned")

        /** Deletes all of it. */
        fun remove(root: Path): Unit =
            Files.walk(root).use { all -> all.sorted(Comparator.reverseOrder()).forEach(Files::delete) }
    }
}
