package dev.arraywright.kernel.driver.lifecycle

import kotlin.time.ComparableTimeMark
import kotlin.time.Duration

/** How often a driver failed of late. */
internal class CrashCount(private val house: DriverHouse) {
    private val crashes = ArrayDeque<ComparableTimeMark>()

    val size: Int get() = crashes.size

    fun clear(): Unit = crashes.clear()

    /** One more; how long to wait before the driver is restarted, null if it is not. */
    fun add(now: ComparableTimeMark): Duration? {
        crashes.addLast(now)
        while (now - crashes.first() > house.policy.window) crashes.removeFirst()
        return house.policy.pause(crashes.size, house.random)
    }
}
