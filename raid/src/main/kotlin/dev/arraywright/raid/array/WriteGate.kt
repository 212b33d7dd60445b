package dev.arraywright.raid.array

import kotlinx.coroutines.channels.Channel

/**
 * Counts writers, and lets them in only while the superblocks say "dirty". Closing takes a moment without writers, so
 * whoever is in was let in by a dirty mark that is on stable storage. Thread-safe.
 */
internal class WriteGate {
    private var open = false
    private var writers = 0
    private var entries = 0L

    /** Receives something each time the last writer leaves. */
    val quiet: Channel<Unit> = Channel(Channel.CONFLATED)

    /** True if let in: then [leave] follows. */
    fun enter(): Boolean = synchronized(this) {
        if (open) {
            writers++
            entries++
        }
        open
    }

    fun leave() {
        val last = synchronized(this) { --writers == 0 }
        if (last) quiet.trySend(Unit)
    }

    fun open() {
        synchronized(this) { open = true }
        quiet.trySend(Unit)
    }

    /** How many writers came in so far. */
    fun entries(): Long = synchronized(this) { entries }

    /** Closes if there is no writer and none came in since there were [entries] of them. */
    fun close(entries: Long): Boolean = synchronized(this) {
        val closes = open && writers == 0 && this.entries == entries
        if (closes) open = false
        closes
    }
}
