package dev.arraywright.hardware.health.history

import java.io.IOException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32C
import kotlin.time.Instant

/** Bytes that are no history, or not one of this device. */
internal class HistoryFormatException(message: String) : IOException(message)

/**
 * A history as the bytes of a file, version 1; numbers are little-endian, and all ones for what is not told:
 *
 * ```
 *  0                   8       10      12            16            20      22
 * +-------------------+-------+-------+-------------+-------------+-------+----------------+---------+---
 * | magic "AWHEALTH"  | vers. | 40    | samples n   | CRC-32C     | id    | device id      | samples
 * |                   | u16   | u16   | u32         | u32         | length| UTF-8          | n x 40
 * +-------------------+-------+-------+-------------+-------------+-------+----------------+---------+---
 * a sample:
 *  0                8                16               24               32      34      36      38     40
 * +----------------+----------------+----------------+----------------+-------+-------+-------+-------+
 * | seconds s64    | media errors   | reallocated    | I/O errors     | used  | spare | tempe-| 0     |
 * | since 1970     | s64            | s64            | s64            | s16   | s16   | rature|       |
 * +----------------+----------------+----------------+----------------+-------+-------+-------+-------+
 * ```
 *
 * The checksum is of all other bytes. The temperature's "not told" is -32768, as -1 is a temperature.
 */
internal object HistoryFormat {
    const val VERSION = 1
    const val SAMPLE_SIZE = 40
    const val ID_AT = 22
    const val ID_LIMIT = 4096

    /** No file is longer. */
    const val LIMIT = ID_AT + ID_LIMIT + HealthHistory.LIMIT * SAMPLE_SIZE
    private const val CHECKSUM_AT = 16
    private const val NO_TEMPERATURE = Short.MIN_VALUE
    private val MAGIC = "AWHEALTH".encodeToByteArray()

    fun encode(id: String, history: HealthHistory): ByteArray {
        val name = id.encodeToByteArray()
        require(name.size <= ID_LIMIT) { "an id of ${name.size} bytes" }
        val bytes = ByteArray(ID_AT + name.size + history.samples.size * SAMPLE_SIZE)
        val buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
        buffer.put(MAGIC).putShort(VERSION.toShort()).putShort(SAMPLE_SIZE.toShort()).putInt(history.samples.size)
        buffer.putInt(0).putShort(name.size.toShort()).put(name)
        for (sample in history.samples) {
            buffer.putLong(sample.time.epochSeconds)
            buffer.putLong(sample.mediaErrors ?: -1).putLong(sample.reallocatedSectors ?: -1)
            buffer.putLong(sample.ioErrors ?: -1)
            buffer.putShort((sample.percentageUsed ?: -1).toShort()).putShort((sample.availableSpare ?: -1).toShort())
            buffer.putShort(sample.temperature?.toShort() ?: NO_TEMPERATURE).putShort(0)
        }
        return bytes.also { buffer.putInt(CHECKSUM_AT, checksum(it)) }
    }

    /** The history of device [id], without what [now] makes too old; throws [HistoryFormatException]. */
    fun parse(bytes: ByteArray, id: String, now: Instant): HealthHistory {
        demand(bytes.size in ID_AT..LIMIT) { "${bytes.size} bytes long" }
        val buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
        demand(MAGIC.indices.all { bytes[it] == MAGIC[it] }) { "not a health history" }
        val version = buffer.getShort(8).toInt()
        demand(version == VERSION) { "of version $version, and this is version $VERSION" }
        demand(buffer.getInt(CHECKSUM_AT) == checksum(bytes)) { "damaged: the checksum differs" }
        val count = buffer.getInt(12)
        val length = buffer.getShort(20).toInt()
        demand(buffer.getShort(10).toInt() == SAMPLE_SIZE) { "samples of another size" }
        demand(count in 0..HealthHistory.LIMIT && length in 1..ID_LIMIT) { "damaged: impossible lengths" }
        demand(bytes.size == ID_AT + length + count * SAMPLE_SIZE) { "damaged: another length than it says" }
        val name = String(bytes, ID_AT, length, Charsets.UTF_8)
        demand(name == id) { "the history of another device, $name" }
        val samples = List(count) { sample(buffer, ID_AT + length + it * SAMPLE_SIZE) }
        return HealthHistory.of(samples, now)
    }

    private fun sample(buffer: ByteBuffer, at: Int): HealthSample {
        val seconds = buffer.getLong(at)
        demand(seconds in Instant.DISTANT_PAST.epochSeconds..Instant.DISTANT_FUTURE.epochSeconds) {
            "no time: $seconds"
        }
        return HealthSample(
            time = Instant.fromEpochSeconds(seconds),
            mediaErrors = buffer.getLong(at + 8).takeIf { it >= 0 },
            reallocatedSectors = buffer.getLong(at + 16).takeIf { it >= 0 },
            ioErrors = buffer.getLong(at + 24).takeIf { it >= 0 },
            percentageUsed = buffer.getShort(at + 32).toInt().takeIf { it >= 0 },
            availableSpare = buffer.getShort(at + 34).toInt().takeIf { it >= 0 },
            temperature = buffer.getShort(at + 36).takeIf { it != NO_TEMPERATURE }?.toInt(),
        )
    }

    private fun checksum(bytes: ByteArray): Int {
        val crc = CRC32C()
        crc.update(bytes, 0, CHECKSUM_AT)
        crc.update(bytes, CHECKSUM_AT + Int.SIZE_BYTES, bytes.size - CHECKSUM_AT - Int.SIZE_BYTES)
        return crc.value.toInt()
    }

    private inline fun demand(holds: Boolean, message: () -> String) {
        if (!holds) throw HistoryFormatException(message())
    }
}
