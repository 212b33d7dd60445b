package dev.arraywright.hardware.health

import kotlinx.coroutines.flow.MutableStateFlow
import kotlin.time.Duration

/** The policy that holds for the health of disks; a change counts from the next reading of each on. */
public class HealthThresholds(first: HealthPolicy = HealthPolicy()) {
    /** What holds. */
    public val policy: MutableStateFlow<HealthPolicy> = MutableStateFlow(first)
}

/** What calls of arrays typically take with a disk, for as long as somebody tells. */
public class ArrayLatency {
    /** Tells it by the path of the special file; null where no array uses it. Returns at once. */
    @Volatile
    public var source: (path: String) -> Duration? = { null }

    internal fun of(target: HealthTarget): Duration? = source(target.path)
}
