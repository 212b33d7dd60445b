package dev.arraywright.kernel.driver.lifecycle

import dev.arraywright.hardware.memory.BorrowedBuffers
import dev.arraywright.kernel.driver.isolate.leak.LeakOutcome
import dev.arraywright.spi.driver.DriverContext
import dev.arraywright.spi.memory.BufferAllocator

/**
 * What one instance of a driver has of the kernel's buffers, and what becomes of that which it does not give back:
 *
 * | the instance                              | its buffers                                                       |
 * | ----------------------------------------- | ----------------------------------------------------------------- |
 * | was let go of                             | none is lent any more, and those that are out are told as trouble |
 * | is gone from memory                       | go back to the pool, unless something else refers to one still    |
 * | stays in memory, or a call of it hangs on | are out of use for good, for it may still write to them           |
 */
internal class InstanceBuffers(private val driver: String, private val own: BorrowedBuffers) {
    /** How many are out, in words; null if none. */
    val left: String?
        get() {
            val (count, bytes) = own.lent to own.inUse()
            if (count == 0) return null
            return (if (count == 1) "1 buffer" else "$count buffers") + " (${bytes shr KIB} KiB)"
        }

    fun lentTo(context: DriverContext): DriverContext = object : DriverContext by context {
        override fun buffers(): BufferAllocator = own
    }

    fun end(): Unit = own.refuse("the driver $driver is unloaded, and is lent no buffers any more")

    fun settle(outcome: LeakOutcome) {
        if (outcome == LeakOutcome.Collected) own.reclaim()
    }

    private companion object {
        const val KIB = 10
    }
}
