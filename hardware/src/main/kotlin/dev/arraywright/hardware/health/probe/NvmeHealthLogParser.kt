package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.CriticalWarning
import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.time.Instant

/** Bytes that are no structure of NVMe's. */
internal class NvmeFormatException(message: String) : IOException(message)

/**
 * The NVMe SMART / Health Information log page (log identifier 02h of the NVM Express base specification), 512 bytes,
 * little-endian; counters are of 128 bits, of which the largest `Long` is told at most:
 *
 * ```
 *   0 critical warning: bits 0 spare, 1 temperature, 2 reliability, 3 read-only, 4 backup, 5 memory region
 *   1 composite temperature u16, Kelvin    3 available spare %    4 available spare threshold %    5 percentage used
 *   6 endurance group warnings             7 reserved
 *  32 data units read (of 1000 x 512 bytes)      48 data units written
 *  64 host read commands      80 host write commands      96 controller busy minutes     112 power cycles
 * 128 power on hours         144 unsafe shutdowns        160 media and data integrity errors
 * 176 error log entries      192 minutes above the warning, 196 above the critical temperature (u32)
 * 200 temperature sensors 1 to 8, u16 Kelvin             216 thermal management, reserved
 * ```
 */
internal object NvmeHealthLogParser {
    const val SIZE = 512
    private const val CONTROLLER_SIZE = 4096
    private const val WARNING_TEMPERATURE_AT = 266
    private const val CRITICAL_TEMPERATURE_AT = 268
    private const val KELVIN = 273
    private const val UNIT = 512_000L
    private const val ALL_ONES = (-1).toByte()

    /** Throws [NvmeFormatException]. A log of ones alone is what a dead link makes of a read, and no log. */
    fun parse(bytes: ByteArray, time: Instant): HealthReading {
        if (bytes.size != SIZE) throw NvmeFormatException("a health log of ${bytes.size} bytes, not $SIZE")
        if (bytes.all { it == ALL_ONES }) throw NvmeFormatException("the health log is all ones")
        val log = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
        val warnings = warnings(log.get(0).toInt())
        return HealthReading(
            time = time,
            sources = setOf(HealthSource.NVME_LOG),
            criticalWarning = warnings,
            temperature = celsius(log.getShort(1)),
            availableSpare = percent(log.get(3)),
            spareThreshold = percent(log.get(4)),
            percentageUsed = log.get(5).toInt() and 0xff,
            bytesRead = units(counter(log, 32)),
            bytesWritten = units(counter(log, 48)),
            powerOnHours = counter(log, 128),
            unsafeShutdowns = counter(log, 144),
            mediaErrors = counter(log, 160),
        )
    }

    /** The warning and critical temperature of an Identify Controller structure; throws [NvmeFormatException]. */
    fun limits(controller: ByteArray): Pair<Int?, Int?> {
        if (controller.size != CONTROLLER_SIZE) throw NvmeFormatException("${controller.size} bytes of a controller")
        val buffer = ByteBuffer.wrap(controller).order(ByteOrder.LITTLE_ENDIAN)
        val warning = celsius(buffer.getShort(WARNING_TEMPERATURE_AT))?.takeIf { it > 0 }
        return warning to celsius(buffer.getShort(CRITICAL_TEMPERATURE_AT))?.takeIf { it > 0 }
    }

    /** The set of a mask's bits; those that are not defined mean nothing. */
    fun warnings(mask: Int): Set<CriticalWarning> =
        CriticalWarning.entries.filterTo(LinkedHashSet()) { mask shr it.ordinal and 1 != 0 }

    /** 0 Kelvin stands for "not measured". */
    private fun celsius(kelvin: Short): Int? = (kelvin.toInt() and 0xffff).takeIf { it != 0 }?.minus(KELVIN)

    private fun percent(byte: Byte): Int? = (byte.toInt() and 0xff).takeIf { it <= 100 }

    private fun counter(log: ByteBuffer, at: Int): Long {
        val low = log.getLong(at)
        return if (log.getLong(at + 8) != 0L || low < 0) Long.MAX_VALUE else low
    }

    /** Bytes of [count] data units. */
    fun units(count: Long): Long = if (count > Long.MAX_VALUE / UNIT) Long.MAX_VALUE else count * UNIT
}
