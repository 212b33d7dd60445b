package dev.arraywright.raid.spare.pool

import dev.arraywright.raid.array.io.awaitDevice
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException
import java.nio.ByteBuffer
import kotlin.time.Duration.Companion.seconds

/**
 * Whether a spare would serve: its start, middle and end are read, and with [write] overwritten with something else,
 * verified, and restored. Every call has a deadline, and a buffer of its own, as a late device keeps it.
 */
internal class SpareCheck(private val device: AsyncBlockDevice, private val write: Boolean) {
    private val info = device.info()
    private val length = maxOf(LENGTH, info.logicalBlockSize())

    /** What is wrong with it; null if nothing is. */
    suspend fun run(): String? {
        if (!device.isOnline) return "it is gone"
        if (info.size() < MINIMUM) return "it has ${info.size()} bytes, too few to be of use"
        return try {
            places().firstNotNullOfOrNull { probe(it) }
        } catch (failure: DeviceIoException) {
            failure.message ?: failure.toString()
        }
    }

    /** The first lies behind where a superblock would be. */
    private fun places(): List<Long> {
        val last = info.size() - length
        return listOf(FIRST, info.size() / 2, last).map { (it - it % length).coerceAtMost(last) }
    }

    private suspend fun probe(offset: Long): String? {
        val before = read(offset)
        if (!write) return null
        val other = ByteArray(length) { before[it].toInt().inv().toByte() }
        val told = try {
            put(other, offset)
            read(offset)
        } finally {
            put(before, offset)
        }
        return if (told.contentEquals(other)) null else "at $offset it does not read what was written"
    }

    private suspend fun read(offset: Long): ByteArray {
        val target = ByteBuffer.allocateDirect(length)
        awaitDevice(device, DEADLINE, null) { device.read(target, offset) }
        return ByteArray(length).also { target.get(0, it) }
    }

    private suspend fun put(bytes: ByteArray, offset: Long) {
        val source = ByteBuffer.allocateDirect(length).put(0, bytes)
        awaitDevice(device, DEADLINE, null) { device.write(source, offset) }
        awaitDevice(device, DEADLINE, null) { device.flush() }
    }

    private companion object {
        const val LENGTH = 4096
        const val FIRST = 64L * 1024
        const val MINIMUM = 1L shl 20
        val DEADLINE = 10.seconds
    }
}
