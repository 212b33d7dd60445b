package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.wire.Nbd
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceType
import java.util.concurrent.atomic.LongAdder

/**
 * A device offered under a name. The device stays its opener's: removing the export does not close it.
 *
 * @property name what clients ask for, at most 4096 bytes; the empty name asks for the only export there is
 * @property multiConn true only if a flush covers the writes of all connections, as an array's does
 * @property fastZeroes true only if [AsyncBlockDevice.writeZeroes] is faster than writing; otherwise a client that
 *   insists on that is told no
 */
public class NbdExport(
    public val name: String,
    public val device: AsyncBlockDevice,
    public val description: String = "",
    readOnly: Boolean = false,
    public val multiConn: Boolean = false,
    public val fastZeroes: Boolean = false,
) {
    /** Asked for, or in the device's nature. */
    public val readOnly: Boolean = readOnly || device.info().readOnly()

    init {
        for (text in listOf(name, description)) {
            require(text.encodeToByteArray().size <= Nbd.MAX_STRING && '\u0000' !in text) {
                "an NBD string is at most ${Nbd.MAX_STRING} bytes without a zero byte"
            }
        }
        val block = device.info().logicalBlockSize()
        require(block <= Nbd.MAX_MINIMUM_BLOCK) {
            "NBD has no blocks of $block bytes, ${Nbd.MAX_MINIMUM_BLOCK} at most"
        }
    }

    internal fun flags(structured: Boolean): Int {
        var flags = Nbd.Can.HAS_FLAGS or Nbd.Can.FLUSH or Nbd.Can.FUA
        flags = flags or
            if (readOnly) Nbd.Can.READ_ONLY else Nbd.Can.TRIM or Nbd.Can.WRITE_ZEROES or Nbd.Can.FAST_ZERO
        if (structured) flags = flags or Nbd.Can.DF
        if (multiConn) flags = flags or Nbd.Can.MULTI_CONN
        if (device.info().type() == DeviceType.HDD) flags = flags or Nbd.Can.ROTATIONAL
        return flags
    }
}

/**
 * What clients did with an export since it was added: requests that were started, payload bytes of those that
 * went well, and requests that were answered with an error.
 */
public data class NbdStatistics(
    val reads: Long,
    val writes: Long,
    val flushes: Long,
    val discards: Long,
    val zeroes: Long,
    val bytesRead: Long,
    val bytesWritten: Long,
    val errors: Long,
)

/** An export as long as it is served, with its counters. */
internal class LiveExport(val export: NbdExport) {
    val reads = LongAdder()
    val writes = LongAdder()
    val flushes = LongAdder()
    val discards = LongAdder()
    val zeroes = LongAdder()
    val bytesRead = LongAdder()
    val bytesWritten = LongAdder()
    val errors = LongAdder()

    fun statistics(): NbdStatistics =
        NbdStatistics(
            reads.sum(),
            writes.sum(),
            flushes.sum(),
            discards.sum(),
            zeroes.sum(),
            bytesRead.sum(),
            bytesWritten.sum(),
            errors.sum(),
        )
}
