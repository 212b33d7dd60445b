package dev.arraywright.samples.benchmarks.device

import dev.arraywright.spi.device.AsyncBlockDevice
import java.nio.ByteBuffer
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicLong

/** Counts the bytes that are read from [device]. */
internal class Counted(private val device: AsyncBlockDevice) : AsyncBlockDevice by device {
    val read = AtomicLong()

    override fun read(target: ByteBuffer, offset: Long): CompletionStage<Void> {
        read.addAndGet(target.remaining().toLong())
        return device.read(target, offset)
    }
}
