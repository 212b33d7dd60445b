package dev.arraywright.hardware.discovery.sysfs

/**
 * What a device's place in `/sys/devices` tells of it, such as
 * `devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda`.
 */
internal class DevicePath(private val path: String) {
    private val parts = path.split('/')
    private val function = parts.indexOfLast(::isPciAddress)

    /** The PCI function that it is, or is behind. */
    val pciAddress: String? = parts.getOrNull(function)

    /** The directory of that function. */
    val pciPath: String? = if (function < 0) null else parts.subList(0, function + 1).joinToString("/")

    /** Without hardware of its own. */
    val isVirtual: Boolean = path.startsWith("devices/virtual/")

    val isVirtio: Boolean = parts.any { it.startsWith("virtio") && it.length > 6 && it[6].isDigit() }

    /** How it is attached, as far as the way to it tells. */
    val transport: String? = when {
        parts.any { it.startsWith("usb") && it.length > 3 && it[3].isDigit() } -> "usb"
        parts.any { it.startsWith("end_device-") } -> "sas"
        parts.any { numbered(it, "ata") } -> "sata"
        parts.any { it.startsWith("rport-") } -> "fc"
        parts.any { numbered(it, "session") } -> "iscsi"
        parts.any { numbered(it, "mmc") } -> "mmc"
        isVirtio -> "virtio"
        parts.any { it.startsWith("vbd-") } -> "xen"
        else -> null
    }

    /** The place by what is wired, not by the order of finding; [last] tells devices at one place apart. */
    fun place(last: String?): String {
        val start = if (pciAddress != null) "pci-$pciAddress" else platform()
        val rest = parts.drop(maxOf(function + 1, 1)).mapNotNull(::wired)
        return (listOf(start) + rest + listOfNotNull(last)).joinToString("-")
    }

    /** The USB device's directory, where one is on the way. */
    fun usbDevice(): String? {
        val index = parts.indexOfLast { ':' in it && isUsbPort(it.substringBefore(':')) }
        return if (index < 1) null else parts.subList(0, index).joinToString("/")
    }

    private fun platform(): String = parts.drop(1).takeWhile { it !in CLASSES }.filterNot(::isCounted).joinToString("-")

    private fun wired(part: String): String? = when {
        numbered(part, "ata") -> part
        ':' in part && isUsbPort(part.substringBefore(':')) -> "usb-$part"
        // host:channel:target:lun, of which the host is numbered in the order of finding
        part.count { it == ':' } == 3 && part.all { it.isDigit() || it == ':' } -> "scsi-" + part.substringAfter(':')
        part.startsWith("mmc") && ':' in part -> part.replaceBefore(':', "mmc").replace(':', '-')
        else -> null
    }

    companion object {
        private val CLASSES = Node.Kind.entries.map { it.subsystem }.toSet()

        /** `0000:3b:00.0`, with more digits in front in some. */
        fun isPciAddress(part: String): Boolean {
            val end = part.length
            return end >= 12 && part[end - 2] == '.' && part[end - 5] == ':' && part[end - 8] == ':' &&
                part.all { it.isLetterOrDigit() || it == ':' || it == '.' } && part[0].digitToIntOrNull(16) != null
        }

        private fun isUsbPort(part: String): Boolean =
            '-' in part && part.all { it.isDigit() || it == '-' || it == '.' }

        private fun numbered(part: String, prefix: String): Boolean =
            part.length > prefix.length && part.startsWith(prefix) && part[prefix.length].isDigit()

        private fun isCounted(part: String): Boolean =
            COUNTED.any { numbered(part, it) } || part.startsWith("target") || part.count { it == ':' } == 3

        private val COUNTED = listOf("virtio", "host", "nvme")
    }
}
