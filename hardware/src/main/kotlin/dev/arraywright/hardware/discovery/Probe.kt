package dev.arraywright.hardware.discovery

import java.util.concurrent.ConcurrentHashMap

/** Looks at the machine's devices. */
internal interface Probe {
    /** For [MonitorStatus.probe]. */
    val name: String

    /**
     * What there is now. Blocks for as long as the system takes; two looks may go on at once, since none is of use to
     * another before it has returned. Throws what goes wrong, if there is nothing to show at all.
     */
    suspend fun look(look: Look): Sight
}

/** What was seen in one look: a probe may know more than the devices, for its next look. */
internal open class Sight(val devices: Map<DeviceId, HardwareDevice>) {
    companion object {
        val NOTHING: Sight = Sight(emptyMap())
    }
}

/**
 * A look to be taken.
 *
 * @property before the last sight; what has not changed is told by the same objects again
 * @property paths the devices to look at, as below `/sys`, and theirs; null for all
 * @property skipped devices that an earlier look hangs at: they stay as they were
 */
internal class Look(
    val before: Sight = Sight.NOTHING,
    val paths: Set<String>? = null,
    val skipped: Set<String> = emptySet(),
) {
    /** Where the look is, which tells what it hangs at. */
    @Volatile
    var at: String? = null
}

/** Looks that do not come back, by the device that each hangs at. */
internal class HungLooks(private val limit: Int) {
    private val places = ConcurrentHashMap<String, Int>()

    val paths: Set<String> get() = places.keys.toSet()

    /** Whether as many hang as may. */
    val full: Boolean get() = places.values.sum() >= limit

    fun add(path: String) {
        places.merge(path, 1, Int::plus)
    }

    fun remove(path: String) {
        places.computeIfPresent(path) { _, count -> if (count > 1) count - 1 else null }
    }

    /** For people; null if none hangs. */
    override fun toString(): String = places.keys.sorted().joinToString(prefix = "no answer from ")
}
