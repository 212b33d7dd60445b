package dev.arraywright.hardware.health

/** One way to read a device's health. Thread-safe. */
public interface HealthProbe {
    /** Whose word it is. */
    public val source: HealthSource

    /**
     * Reads once. May block its thread for as long as the device pleases: the [HealthMonitor] gives it one of its own
     * and a deadline, and does not call it again for this device before it has returned. An exception counts as
     * [ProbeAnswer.Failed].
     */
    public suspend fun read(target: HealthTarget): ProbeAnswer
}

/** What a [HealthProbe] found. */
public sealed interface ProbeAnswer {
    /** The device told. */
    public data class Read(public val reading: HealthReading) : ProbeAnswer

    /** This way does not lead to this device, or not on this machine, which is nothing against it. */
    public data class Absent(public val reason: String) : ProbeAnswer

    /** The device should have told, and did not. */
    public data class Failed(public val reason: String) : ProbeAnswer
}
