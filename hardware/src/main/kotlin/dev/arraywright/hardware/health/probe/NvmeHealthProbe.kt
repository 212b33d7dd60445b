package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.HealthProbe
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.linux.LinuxCalls
import dev.arraywright.hardware.linux.NvmeAdmin
import dev.arraywright.hardware.linux.NvmeException
import dev.arraywright.hardware.linux.Posix
import dev.arraywright.hardware.linux.PosixException
import java.io.IOException
import kotlin.time.Clock

/** Reads the health log page of an NVMe controller by an admin command, which takes root. */
internal class NvmeHealthProbe(private val clock: Clock) : HealthProbe {
    override val source: HealthSource = HealthSource.NVME_LOG

    override suspend fun read(target: HealthTarget): ProbeAnswer {
        if (target.kind != HealthTarget.Kind.NVME) return ProbeAnswer.Absent("not an NVMe device")
        LinuxCalls.absence?.let { return ProbeAnswer.Absent(it) }
        return try {
            Descriptor.open(target.path, Posix.O_RDONLY).use { device ->
                val reading = NvmeHealthLogParser.parse(NvmeAdmin.healthLog(device), clock.now())
                val (warning, critical) = limits(device)
                ProbeAnswer.Read(reading.copy(warningTemperature = warning, criticalTemperature = critical))
            }
        } catch (e: PosixException) {
            val reason = "${target.path}: ${e.message}"
            if (e.errno in REFUSALS) ProbeAnswer.Absent(reason) else ProbeAnswer.Failed(reason)
        } catch (e: IOException) {
            ProbeAnswer.Failed("${target.path}: ${e.message}")
        }
    }

    /** The controller's own limits; a controller that does not say which they are is none the worse for it. */
    private fun limits(device: Descriptor): Pair<Int?, Int?> = try {
        NvmeHealthLogParser.limits(NvmeAdmin.identifyController(device))
    } catch (_: NvmeException) {
        null to null
    }

    private companion object {
        /** No right to ask, or nothing there that takes the command: neither is the device's fault. */
        val REFUSALS = setOf(Errno.EACCES, Errno.EPERM, Errno.ENOTTY, Errno.EINVAL)
    }
}
