package dev.arraywright.hardware.nbd.client

/**
 * The connection of a remote device.
 * ```
 *             Established   Lost, clean   Lost, at risk   Broken   OutOfTime   Close
 * Connecting  Connected     Connecting    Gone            Gone     Gone        Closed
 * Connected   -             Connecting    Gone            Gone     -           Closed
 * Gone        -             -             -               -        -           Closed
 * Closed      -             -             -               -        -           -
 * ```
 * `-` changes nothing. See [NbdDevice] for what is at risk and why that ends the device.
 */
internal sealed interface LinkState {
    /** Not connected, or not any more; trying. */
    data object Connecting : LinkState

    data object Connected : LinkState

    data class Gone(val why: String) : LinkState

    data object Closed : LinkState

    fun next(event: LinkEvent): LinkState = when (this) {
        is Connecting, is Connected -> when (event) {
            LinkEvent.Established -> Connected
            is LinkEvent.Lost -> if (event.atRisk) Gone(event.why + AT_RISK) else Connecting
            is LinkEvent.Broken -> Gone(event.why)
            is LinkEvent.OutOfTime -> if (this is Connecting) Gone(event.why) else this
            LinkEvent.Close -> Closed
        }
        is Gone -> if (event == LinkEvent.Close) Closed else this
        is Closed -> this
    }

    private companion object {
        const val AT_RISK = "; writes were under way or not flushed, and nobody can tell whether they survived"
    }
}

/** What happens to a [LinkState]. */
internal sealed interface LinkEvent {
    data object Established : LinkEvent

    /** @property atRisk whether writes were in flight, or acknowledged and not flushed */
    data class Lost(val why: String, val atRisk: Boolean) : LinkEvent

    /** The server broke the protocol, or is not the one it was. */
    data class Broken(val why: String) : LinkEvent

    data class OutOfTime(val why: String) : LinkEvent

    data object Close : LinkEvent
}
