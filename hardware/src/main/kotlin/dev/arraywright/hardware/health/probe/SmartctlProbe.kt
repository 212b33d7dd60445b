package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.HealthProbe
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Asks smartmontools' `smartctl`, where it is installed. Its exit status is a mask: bit 0 the arguments, 1 the device
 * could not be opened or sleeps, 2 a command failed, 3 the device says it fails; the higher bits are about its past. A
 * disk that sleeps is not woken up for this.
 *
 * @param find where the program is; null without it
 */
internal class SmartctlProbe(
    private val clock: Clock,
    deadline: Duration = 15.seconds,
    private val find: () -> Path? = ::installed,
) : HealthProbe {
    private val process = BoundedProcess(deadline, LIMIT)

    override val source: HealthSource = HealthSource.SMARTCTL

    override suspend fun read(target: HealthTarget): ProbeAnswer {
        if (target.kind == HealthTarget.Kind.OTHER) return ProbeAnswer.Absent("not a kind of device that has SMART")
        val program = find() ?: return ProbeAnswer.Absent("smartctl is not installed")
        return try {
            val result = process.run(listOf("$program", "--json=c", "-n", "standby", "-a", target.path))
            if (result.output.isEmpty()) return ProbeAnswer.Failed("smartctl said nothing, exit status ${result.exit}")
            judge(SmartctlParser.parse(result.output.decodeToString(), clock.now()), result.exit)
        } catch (e: IOException) {
            ProbeAnswer.Failed(e.message ?: "smartctl cannot be run: $e")
        }
    }

    private fun judge(answer: SmartctlAnswer, exit: Int): ProbeAnswer {
        val said = answer.messages.joinToString("; ").ifEmpty { "exit status $exit" }
        if (exit and UNUSABLE != 0) {
            val faultless = exit and ARGUMENTS != 0 || NO_FAULT.any { said.contains(it, ignoreCase = true) }
            return if (faultless) ProbeAnswer.Absent("smartctl: $said") else ProbeAnswer.Failed("smartctl: $said")
        }
        val reading = if (exit and FAILING != 0) answer.reading.copy(passed = false) else answer.reading
        return when {
            reading != HealthReading(reading.time, reading.sources) -> ProbeAnswer.Read(reading)
            answer.supported == false -> ProbeAnswer.Absent("the device does not support SMART")
            exit and COMMAND_FAILED != 0 -> ProbeAnswer.Failed("smartctl: $said")
            else -> ProbeAnswer.Absent("smartctl tells nothing of the device's health")
        }
    }

    companion object {
        private const val LIMIT = 1 shl 20
        private const val ARGUMENTS = 1
        private const val UNUSABLE = 3
        private const val COMMAND_FAILED = 4
        private const val FAILING = 8

        /** Reasons not to have opened the device that are nothing against it. */
        private val NO_FAULT = listOf(
            "permission denied",
            "operation not permitted",
            "unable to detect device type",
            "unknown usb bridge",
            "please specify device type",
            "standby",
            "sleep",
            "not supported",
        )

        private fun installed(): Path? {
            val path = System.getenv("PATH").orEmpty().split(':').filter { it.startsWith("/") }
            val places = path + listOf("/usr/local/sbin", "/usr/sbin", "/sbin")
            return places.map { Path.of(it, "smartctl") }.firstOrNull(Files::isExecutable)
        }
    }
}
