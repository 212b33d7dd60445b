package dev.arraywright.hardware.hotplug

/** Tells that devices may have changed. */
internal interface Hotplug : AutoCloseable {
    /** For people. */
    val name: String

    /** Calls [sink] with each signal from now on, on any thread; it returns at once. */
    fun start(sink: (Signal) -> Unit)

    /** Nothing is told afterwards, but for a call that has begun. */
    override fun close()
}

/** A reason to look again. */
internal sealed interface Signal {
    /** A device came, went or changed; [path] is its directory below `/sys`. */
    data class Device(val path: String) : Signal

    /** File systems were mounted or unmounted, or swap was switched. */
    data object Mounts : Signal

    /** Signals were lost. */
    data object Lost : Signal

    /** Somebody else than the kernel sent what looks like a signal. */
    data object Forged : Signal
}
