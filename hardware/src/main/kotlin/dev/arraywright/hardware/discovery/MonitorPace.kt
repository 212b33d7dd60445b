package dev.arraywright.hardware.discovery

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * How often a [HardwareMonitor] looks.
 *
 * @property coalescing from the first event of a batch until the look
 * @property safetyNet between full looks where events tell of changes
 * @property polling between full looks where none do
 * @property deadline of a look; past it what it hangs at is left as it was
 * @property retry from a look that failed to the next
 * @property hanging looks that may hang at once
 */
internal data class MonitorPace(
    val coalescing: Duration = 500.milliseconds,
    val safetyNet: Duration = 1.minutes,
    val polling: Duration = 5.seconds,
    val deadline: Duration = 10.seconds,
    val retry: Duration = 5.seconds,
    val hanging: Int = 4,
)
