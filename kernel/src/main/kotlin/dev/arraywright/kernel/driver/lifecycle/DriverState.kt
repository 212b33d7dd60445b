package dev.arraywright.kernel.driver.lifecycle

/**
 * Where a driver is between its jar and its end. [next] is the only way from one state to another:
 *
 * ```
 *              Find        Reject    Load     Done         Initialize    Start     Stop      Unload     Fail    Leak
 * Discovered   Discovered  Rejected  Loading  -            -             -         -         Unloaded   -       -
 * Rejected     Discovered  Rejected  Loading  -            -             -         -         Unloaded   -       -
 * Loading      -           -         -        Loaded       -             -         -         -          Failed  -
 * Loaded       -           -         -        -            Initializing  -         -         Unloading  Failed  -
 * Initializing -           -         -        Initialized  -             -         -         -          Failed  -
 * Initialized  -           -         -        -            -             Starting  -         Unloading  Failed  -
 * Starting     -           -         -        Running      -             -         -         -          Failed  -
 * Running      -           -         -        -            -             -         Stopping  -          Failed  -
 * Stopping     -           -         -        Stopped      -             -         -         -          Failed  -
 * Stopped      -           -         -        -            -             -         -         Unloading  -       -
 * Unloading    -           -         -        Unloaded     -             -         -         -          -       Leaked
 * Unloaded     Discovered  Rejected  Loading  -            -             -         -         -          -       -
 * Failed       -           -         Loading  -            -             -         -         Unloading  Failed  -
 * Leaked       Discovered  Rejected  Loading  Unloaded     -             -         -         -          -       Leaked
 * ```
 *
 * What has no entry cannot happen; whoever asks for it is told so, or has a bug.
 */
public sealed interface DriverState {
    /** Its jar announces it; nothing of it is loaded. */
    public data object Discovered : DriverState

    /** Its jar is none that anything is loaded from. */
    public data class Rejected(public val why: String) : DriverState

    /** Its classes are read and its constructor runs. */
    public data object Loading : DriverState

    /** It is constructed. */
    public data object Loaded : DriverState

    /** It takes what it needs to work. */
    public data object Initializing : DriverState

    /** It has what it needs. */
    public data object Initialized : DriverState

    /** It starts what runs by itself. */
    public data object Starting : DriverState

    /** It opens devices. */
    public data object Running : DriverState

    /** It ends what runs by itself. */
    public data object Stopping : DriverState

    /** Nothing of it runs. */
    public data object Stopped : DriverState

    /** It is closed, and its classes are to go. */
    public data object Unloading : DriverState

    /** Nothing of it is in memory. */
    public data object Unloaded : DriverState

    /**
     * It does not work; [quarantined]: it is not tried again until somebody loads it. Also one that is sound and rests
     * because a driver that it requires does not run, which [why] names: it is restarted as soon as that runs again.
     */
    public data class Failed(public val why: String, public val quarantined: Boolean = false) : DriverState

    /** It is closed and yet in memory; [report] says what holds it. */
    public data class Leaked(public val report: String) : DriverState

    /** The state's name, as in the table. */
    public val name: String get() = checkNotNull(this::class.simpleName)
}

/** What can happen to a driver. */
internal sealed interface DriverEvent {
    /** A scan found it. */
    data object Find : DriverEvent

    /** A scan refused its jar. */
    data class Reject(val why: String) : DriverEvent

    data object Load : DriverEvent

    /** The step under way has succeeded. */
    data object Done : DriverEvent

    data object Initialize : DriverEvent

    data object Start : DriverEvent

    data object Stop : DriverEvent

    data object Unload : DriverEvent

    /** It failed, or the step under way took too long. */
    data class Fail(val why: String, val quarantined: Boolean = false) : DriverEvent

    /** It was to be gone, and is not. */
    data class Leak(val report: String) : DriverEvent
}

/** The state after [event]; null if that cannot happen here. */
internal fun DriverState.next(event: DriverEvent): DriverState? = when (event) {
    DriverEvent.Find -> if (mayBeFound()) DriverState.Discovered else null
    is DriverEvent.Reject -> if (mayBeFound()) DriverState.Rejected(event.why) else null
    DriverEvent.Load -> if (mayBeFound() || this is DriverState.Failed) DriverState.Loading else null
    DriverEvent.Done -> when (this) {
        DriverState.Loading -> DriverState.Loaded
        DriverState.Initializing -> DriverState.Initialized
        DriverState.Starting -> DriverState.Running
        DriverState.Stopping -> DriverState.Stopped
        DriverState.Unloading, is DriverState.Leaked -> DriverState.Unloaded
        else -> null
    }
    DriverEvent.Initialize -> DriverState.Initializing.takeIf { this == DriverState.Loaded }
    DriverEvent.Start -> DriverState.Starting.takeIf { this == DriverState.Initialized }
    DriverEvent.Stop -> DriverState.Stopping.takeIf { this == DriverState.Running }
    DriverEvent.Unload -> when (this) {
        DriverState.Discovered, is DriverState.Rejected -> DriverState.Unloaded
        DriverState.Loaded, DriverState.Initialized, DriverState.Stopped, is DriverState.Failed -> DriverState.Unloading
        else -> null
    }
    is DriverEvent.Fail -> DriverState.Failed(event.why, event.quarantined).takeIf { mayFail() }
    is DriverEvent.Leak ->
        if (this == DriverState.Unloading || this is DriverState.Leaked) DriverState.Leaked(event.report) else null
}

/** Nothing of it is in memory that could be used. */
private fun DriverState.mayBeFound(): Boolean = when (this) {
    DriverState.Discovered, is DriverState.Rejected, DriverState.Unloaded, is DriverState.Leaked -> true
    else -> false
}

private fun DriverState.mayFail(): Boolean = when (this) {
    DriverState.Loading, DriverState.Loaded, DriverState.Initializing, DriverState.Initialized, DriverState.Starting,
    DriverState.Running, DriverState.Stopping, is DriverState.Failed,
    -> true
    else -> false
}
