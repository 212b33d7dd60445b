package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.HealthProbe
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import dev.arraywright.hardware.tree.SystemTree
import kotlin.time.Clock

/**
 * What the kernel counts and thinks of a device: `device/ioerr_cnt` and `iotmo_cnt` of SCSI and ATA disks
 * (hexadecimal),
 * `device/state`, an NVMe controller's `state`, and the ninth figure of `stat`, requests in flight.
 */
internal class KernelCounterProbe(private val sys: SystemTree, private val clock: Clock) : HealthProbe {
    override val source: HealthSource = HealthSource.KERNEL

    override suspend fun read(target: HealthTarget): ProbeAnswer {
        val block = "block/${target.sysName}"
        val reading = HealthReading(
            time = clock.now(),
            sources = setOf(source),
            ioErrors = sys.text("$block/device/ioerr_cnt")?.let(::number),
            ioTimeouts = sys.text("$block/device/iotmo_cnt")?.let(::number),
            inFlight = sys.text("$block/stat")?.let(::inFlight),
            state = state(target),
        )
        if (reading != HealthReading(reading.time, reading.sources)) return ProbeAnswer.Read(reading)
        return ProbeAnswer.Absent(sys.why(block) ?: "the kernel counts nothing of ${target.sysName}")
    }

    private fun state(target: HealthTarget): String? =
        sys.text("block/${target.sysName}/device/state") ?: controller(target.sysName)?.let {
            sys.text("class/nvme/$it/state")
        }

    companion object {
        private const val IN_FLIGHT = 8

        /** The controller of a namespace: `nvme0` of `nvme0n1` and `nvme0c1n1`. */
        fun controller(name: String): String? {
            if (!name.startsWith("nvme")) return null
            val digits = name.drop(4).takeWhile { it in '0'..'9' }
            return if (digits.isEmpty()) null else "nvme$digits"
        }

        /** `0x1f` as the SCSI layer writes it; null if it is no count. */
        fun number(text: String): Long? {
            val hex = text.startsWith("0x")
            val digits = if (hex) text.drop(2) else text
            return if (digits.startsWith('-')) null else digits.toLongOrNull(if (hex) 16 else 10)?.takeIf { it >= 0 }
        }

        fun inFlight(stat: String): Long? =
            stat.split(' ', '\t').filter { it.isNotEmpty() }.getOrNull(IN_FLIGHT)?.toLongOrNull()?.takeIf { it >= 0 }
    }
}
