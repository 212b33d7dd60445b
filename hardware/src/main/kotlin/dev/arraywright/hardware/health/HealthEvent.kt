package dev.arraywright.hardware.health

/**
 * A change of what is held against a device. [Raised] puts a finding there, [Worsened] and [Eased] replace it,
 * [Recovered] takes it away, [Forgotten] takes all: folded so, events always make the findings of the reports.
 */
public sealed interface HealthEvent {
    public val id: String

    /** A threshold was crossed. Told once, until the device is well below it again. */
    public sealed interface Raised : HealthEvent {
        public val finding: HealthFinding
    }

    /** Any threshold that has no event of its own. */
    public data class Warned(override val id: String, override val finding: HealthFinding) : Raised

    /** The device itself warns. */
    public data class CriticallyWarned(
        override val id: String,
        override val finding: HealthFinding,
        public val warning: CriticalWarning,
    ) : Raised

    /** It is too hot: [celsius]. */
    public data class TemperatureHigh(
        override val id: String,
        override val finding: HealthFinding,
        public val celsius: Int,
    ) : Raised

    /** Its life ends soon, by [trend]. */
    public data class LifeLow(
        override val id: String,
        override val finding: HealthFinding,
        public val trend: LifeTrend,
    ) : Raised

    /** Its health could not be read. */
    public data class ReadFailed(override val id: String, override val finding: HealthFinding) : Raised

    /** What was found counts for more now. */
    public data class Worsened(override val id: String, public val finding: HealthFinding) : HealthEvent

    /** It counts for less, but is not over. */
    public data class Eased(override val id: String, public val finding: HealthFinding) : HealthEvent

    /** It is over; [healthy] if nothing else is held against the device. */
    public data class Recovered(
        override val id: String,
        public val finding: HealthFinding,
        public val healthy: Boolean,
    ) : HealthEvent

    /** A device that had something against it is not watched any more. */
    public data class Forgotten(override val id: String) : HealthEvent
}
