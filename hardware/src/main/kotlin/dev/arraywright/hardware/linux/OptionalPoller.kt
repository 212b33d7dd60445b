package dev.arraywright.hardware.linux

/** A [Poller] where there can be one; its owner closes it. What would have used it looks at intervals instead. */
internal class OptionalPoller : AutoCloseable {
    /** Null where [absence] says why. */
    val poller: Poller?

    /** Why there is none; null if there is. */
    val absence: String?

    init {
        var why = LinuxCalls.absence
        poller = if (why != null)
            null
        else
            try {
                Poller()
            } catch (e: PosixException) {
                why = e.message
                null
            }
        absence = why
    }

    override fun close() {
        poller?.close()
    }
}
