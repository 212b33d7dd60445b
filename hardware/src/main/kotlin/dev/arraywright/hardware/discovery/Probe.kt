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
    private val reading: MutableSet<String> = ConcurrentHashMap.newKeySet()

    /** Where the look is, at several places if it has several readers: what it hangs at, if it does. */
    val at: Set<String> get() = reading.toSet()

    /** Reads what is at [path]. */
    inline fun <T> reading(path: String, read: () -> T): T {
        begin(path)
        return try {
            read()
        } finally {
            end(path)
        }
    }

    fun begin(path: String) {
        reading += path
    }

    fun end(path: String) {
        reading -= path
    }
}

/** Looks that do not come back, with what each hangs at. */
internal class HungLooks(private val limit: Int) {
    private val looks = ConcurrentHashMap<Look, Set<String>>()

    val paths: Set<String> get() = looks.values.flatMapTo(HashSet()) { it }

    /** Whether as many hang as may. */
    val full: Boolean get() = looks.size >= limit

    fun add(look: Look) {
        looks[look] = look.at
    }

    fun remove(look: Look) {
        looks.remove(look)
    }

    /** For people. */
    override fun toString(): String = paths.sorted().joinToString(prefix = "no answer from ")
}
