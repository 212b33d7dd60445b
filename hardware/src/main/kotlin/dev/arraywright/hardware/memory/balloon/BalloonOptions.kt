package dev.arraywright.hardware.memory.balloon

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/**
 * How [BalloonDriver] works.
 *
 * @property deadline for each handler's answer
 * @property interval between rounds while pressure lasts
 * @property easeAfter how long there must be no pressure before handlers grow back
 * @property easeEvery between their steps; twice as much after each time that growing back ended in pressure, up to 16
 *   times
 * @property collectHeap whether the Java heap is collected at critical pressure, where that can make it smaller
 * @property collectEvery least time between such collections
 */
public data class BalloonOptions(
    val deadline: Duration = 500.milliseconds,
    val interval: Duration = 1.seconds,
    val easeAfter: Duration = 10.seconds,
    val easeEvery: Duration = 5.seconds,
    val collectHeap: Boolean = true,
    val collectEvery: Duration = 1.minutes,
) {
    init {
        require(deadline.isPositive() && interval.isPositive() && easeEvery.isPositive()) { "not all positive: $this" }
        require(!easeAfter.isNegative() && !collectEvery.isNegative()) { "negative: $this" }
    }
}
