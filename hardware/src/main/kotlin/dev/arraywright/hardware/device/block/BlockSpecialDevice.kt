package dev.arraywright.hardware.device.block

import dev.arraywright.hardware.device.DescriptorDevice
import dev.arraywright.hardware.linux.BlockIoctl
import dev.arraywright.hardware.linux.Descriptor
import dev.arraywright.spi.device.DeviceInfo
import dev.arraywright.spi.memory.BufferAllocator

/** A block special file as a device. */
internal class BlockSpecialDevice(
    info: DeviceInfo,
    descriptor: Descriptor,
    memoryAlignment: Int,
    buffers: BufferAllocator,
    claim: AutoCloseable,
) : DescriptorDevice(info, descriptor, memoryAlignment, buffers, claim) {
    override fun discardRange(offset: Long, length: Long): Long = BlockIoctl.discard(descriptor, offset, length)

    override fun zeroRange(offset: Long, length: Long): Long = BlockIoctl.writeZeroes(descriptor, offset, length)

    /** An unplugged disk has no size, and answers with EIO, ENOSPC or an early end: its size is what tells. */
    override fun vanished(): Boolean = BlockIoctl.size(descriptor) < info().size()
}
