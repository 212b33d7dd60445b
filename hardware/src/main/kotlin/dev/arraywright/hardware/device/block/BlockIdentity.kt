package dev.arraywright.hardware.device.block

import dev.arraywright.hardware.discovery.DeviceNames
import dev.arraywright.hardware.linux.DeviceNumber
import dev.arraywright.hardware.numa.DeviceNodes
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.spi.device.DeviceType
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.name
import kotlin.io.path.readText

/**
 * What sysfs says of a block device. A partition has its disk's identity, and an id of its own.
 *
 * @property id by wwid or serial where there is one, else the address it was opened by
 */
internal data class BlockIdentity(
    val id: String,
    val model: String,
    val serial: String,
    val type: DeviceType,
    val numaNode: Int,
) {
    companion object {
        /** Reads `<sys>/dev/block/<number>`; what is not there is left empty. */
        fun of(number: DeviceNumber, address: String, sys: Path): BlockIdentity {
            val node = resolved(sys.resolve("dev/block/$number"))
            val partition = text(node.resolve("partition"))
            val disk = if (partition == null) node else node.parent
            val serial = text(disk.resolve("device/serial")) ?: text(disk.resolve("serial")) ?: ""
            val wwid = DeviceNames.wwid(text(disk.resolve("wwid")) ?: text(disk.resolve("device/wwid")))
            val model = text(disk.resolve("device/model")) ?: ""
            val name = wwid ?: serial.ifEmpty { null }?.let { DeviceNames.modelSerial(model, it) }
            val suffix = partition?.let { "-part$it" } ?: ""
            return BlockIdentity(
                id = if (name == null) address else "block:$name$suffix",
                model = model,
                serial = serial,
                type = type(disk),
                numaNode = DeviceNodes(SystemTree(sys)).ofNumber(number.toString()).node,
            )
        }

        private fun type(disk: Path): DeviceType =
            when {
                disk.name.startsWith("loop") -> DeviceType.LOOP
                disk.name.startsWith("nvme") -> DeviceType.NVME
                disk.name.startsWith("nbd") -> DeviceType.NETWORK
                // md, device mapper, zram, brd: no hardware behind them of their own
                !Files.exists(disk.resolve("device")) -> DeviceType.VIRTUAL
                else -> when (text(disk.resolve("queue/rotational"))) {
                    "1" -> DeviceType.HDD
                    "0" -> DeviceType.SSD
                    else -> DeviceType.OTHER
                }
            }

        private fun resolved(path: Path): Path =
            try {
                path.toRealPath()
            } catch (_: IOException) {
                path
            }

        private fun text(file: Path): String? =
            try {
                file.readText().trim().ifEmpty { null }
            } catch (_: IOException) {
                null
            }
    }
}
