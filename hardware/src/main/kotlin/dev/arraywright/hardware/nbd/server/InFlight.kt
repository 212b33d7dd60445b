package dev.arraywright.hardware.nbd.server

import dev.arraywright.hardware.nbd.wire.NbdRequest
import dev.arraywright.spi.device.Extent
import dev.arraywright.spi.memory.BufferAllocator
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger

/**
 * A request being worked on. It has two holders, the device and the reply; when both have let go, its buffer goes
 * back to the pool and its place to the client. So an answer at shutdown never frees a buffer that a device still uses.
 */
internal class InFlight(
    val request: NbdRequest,
    val lease: BufferAllocator.Lease?,
    private val released: () -> Unit,
) {
    private val answered = AtomicBoolean()
    private val holders = AtomicInteger(2)

    /** True for the one caller who may answer. */
    fun claimAnswer(): Boolean = answered.compareAndSet(false, true)

    fun letGo() {
        if (holders.decrementAndGet() == 0) {
            lease?.close()
            released()
        }
    }
}

/**
 * What a request is answered with.
 *
 * @property errno 0 if it went well
 * @property extents what BLOCK_STATUS found
 */
internal class Reply(
    val flight: InFlight,
    val errno: Int,
    val message: String? = null,
    val extents: List<Extent>? = null,
)
