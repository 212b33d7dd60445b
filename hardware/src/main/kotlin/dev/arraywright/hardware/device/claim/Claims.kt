package dev.arraywright.hardware.device.claim

import dev.arraywright.hardware.linux.DeviceNumber
import java.util.concurrent.atomic.AtomicBoolean

/** What can be claimed: the thing itself, however many paths lead to it. */
internal sealed interface ClaimKey {
    /** A regular file. */
    data class File(val device: DeviceNumber, val inode: Long) : ClaimKey

    /** A block device, a partition included. */
    data class Block(val number: DeviceNumber) : ClaimKey
}

/**
 * Who in this process holds what: one exclusive holder, or any number of shared ones. Process-wide, because so are the
 * files; it names the holder, and it holds where a file system has no locks. Other processes are kept out by flock
 * (files) and O_EXCL (block devices). Thread-safe.
 */
internal object Claims {
    private class Holding(val shared: Boolean, val holders: MutableList<String>)

    private val held = HashMap<ClaimKey, Holding>()

    /** Claims [key] for [holder], an operator's name for it, until the result is closed; null if that conflicts. */
    fun tryClaim(key: ClaimKey, shared: Boolean, holder: String): AutoCloseable? =
        synchronized(held) {
            val present = held[key]
            when {
                present == null -> held[key] = Holding(shared, mutableListOf(holder))
                present.shared && shared -> present.holders += holder
                else -> return null
            }
            val released = AtomicBoolean()
            AutoCloseable { if (released.compareAndSet(false, true)) release(key, holder) }
        }

    /** The present holders of [key], or null. */
    fun holders(key: ClaimKey): String? = synchronized(held) { held[key]?.holders?.distinct()?.joinToString() }

    private fun release(key: ClaimKey, holder: String) {
        synchronized(held) {
            val holding = held.getValue(key)
            holding.holders -= holder
            if (holding.holders.isEmpty()) held -= key
        }
    }
}
