package dev.arraywright.hardware.discovery.sysfs

import java.util.BitSet

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

    private val transports = ranks()

    val isVirtio: Boolean = transports[VIRTIO]

    /** How it is attached, as far as the way to it tells. */
    val transport: String? = TRANSPORTS.getOrNull(transports.nextSetBit(0))

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

    /** Of [TRANSPORTS], those that the way to it tells. */
    private fun ranks(): BitSet {
        val found = BitSet(TRANSPORTS.size)
        for (part in parts) {
            val rank = if (part.isEmpty()) -1 else rank(part)
            if (rank >= 0) found.set(rank)
        }
        return found
    }

    private fun wired(part: String): String? = when {
        numbered(part, "ata") -> part
        ':' !in part -> null
        isUsbPort(part.substringBefore(':')) -> "usb-$part"
        // host:channel:target:lun, of which the host is numbered in the order of finding
        part.count { it == ':' } == 3 && part.all { it.isDigit() || it == ':' } -> "scsi-" + part.substringAfter(':')
        part.startsWith("mmc") && ':' in part -> part.replaceBefore(':', "mmc").replace(':', '-')
        else -> null
    }

    companion object {
        /** The first one that the way to a device tells counts: a SAS disk on USB is a USB one. */
        private val TRANSPORTS = listOf("usb", "sas", "sata", "fc", "iscsi", "mmc", "virtio", "xen")
        private const val VIRTIO = 6

        private fun rank(part: String): Int {
            val found = when (part[0]) {
                'u' -> 0.takeIf { numbered(part, "usb") }
                'e' -> 1.takeIf { part.startsWith("end_device-") }
                'a' -> 2.takeIf { numbered(part, "ata") }
                'r' -> 3.takeIf { part.startsWith("rport-") }
                's' -> 4.takeIf { numbered(part, "session") }
                'm' -> 5.takeIf { numbered(part, "mmc") }
                'v' -> if (numbered(part, "virtio")) VIRTIO else 7.takeIf { part.startsWith("vbd-") }
                else -> null
            }
            return found ?: -1
        }

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
