package dev.arraywright.hardware.nbd.client

import dev.arraywright.spi.device.BlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.device.Extent
import java.nio.ByteBuffer
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage

/**
 * The blocking face of an [NbdDevice]. Whoever can use [async] does not need threads to wait in; both faces may be
 * used together, and closing one closes the other.
 */
public class NbdBlockDevice(public val async: NbdDevice) : BlockDevice {
    override fun info(): DeviceInfo = async.info()

    override fun read(target: ByteBuffer, offset: Long) {
        await(async.read(target, offset))
        target.position(target.limit())
    }

    override fun write(source: ByteBuffer, offset: Long) {
        await(async.write(source, offset))
        source.position(source.limit())
    }

    override fun flush() {
        await(async.flush())
    }

    override fun discard(offset: Long, length: Long) {
        await(async.discard(offset, length))
    }

    override fun writeZeroes(offset: Long, length: Long) {
        await(async.writeZeroes(offset, length))
    }

    override fun allocation(offset: Long, length: Long): List<Extent> = await(async.allocation(offset, length))

    override fun health(): DeviceHealth = async.health()

    override fun isOnline(): Boolean = async.isOnline

    override fun close(): Unit = async.close()

    /** Every stage has a deadline, so this ends; an interrupt stays pending and does not end it. */
    private fun <T> await(stage: CompletionStage<T>): T = try {
        stage.toCompletableFuture().join()
    } catch (e: CompletionException) {
        throw e.cause ?: e
    }
}
