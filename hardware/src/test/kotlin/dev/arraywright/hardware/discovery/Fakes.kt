package dev.arraywright.hardware.discovery

import dev.arraywright.hardware.hotplug.Hotplug
import dev.arraywright.hardware.hotplug.Signal
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext

/** Signals when the spec says so, and only between start and close. */
internal class FakeHotplug : Hotplug {
    override val name = "fake"
    private var sink: ((Signal) -> Unit)? = null
    var closed = 0
        private set

    override fun start(sink: (Signal) -> Unit) {
        check(this.sink == null) { "started twice" }
        this.sink = sink
    }

    fun signal(signal: Signal) = checkNotNull(sink) { "not started" }(signal)

    override fun close() {
        closed++
        sink = null
    }
}

/** Sees [world]; hangs at the devices in [hanging], whatever cancels it, until they are let go. */
internal class FakeProbe(var world: Map<DeviceId, HardwareDevice> = emptyMap()) : Probe {
    override val name = "fake"
    val looks = ArrayList<Look>()
    var failure: Exception? = null
    val hanging = LinkedHashMap<String, CompletableDeferred<Unit>>()

    override suspend fun look(look: Look): Sight {
        looks += look
        failure?.let { throw it }
        for ((path, gate) in hanging) {
            if (path !in look.skipped) {
                look.reading(path) { withContext(NonCancellable) { gate.await() } }
            }
        }
        return Sight(world)
    }
}

internal fun device(name: String, size: Long = 4096, incarnation: Long = 1): HardwareDevice =
    HardwareDevice(
        DeviceId(DeviceId.Kind.PATH, name),
        name,
        setOf(DeviceFlag.BLOCK),
        size = size,
        incarnation = incarnation,
    )

internal fun world(vararg devices: HardwareDevice): Map<DeviceId, HardwareDevice> = devices.associateBy { it.id }

/** What a collector of changes knows; refuses a step that does not follow from the last. */
internal class Replay {
    val devices = LinkedHashMap<DeviceId, HardwareDevice>()
    val steps = ArrayList<HardwareChange>()

    fun apply(change: HardwareChange) {
        steps += change
        when (change) {
            is HardwareChange.Added -> {
                check(devices.put(change.device.id, change.device) == null) { "$change, but it is there" }
                for (other in change.device.members + listOfNotNull(change.device.parent)) {
                    check(other in devices) { "$change before $other" }
                }
            }
            is HardwareChange.Removed -> {
                check(devices.remove(change.device.id) == change.device) { "$change, but it is not there" }
            }
            is HardwareChange.Changed -> {
                check(change.before != change.after && change.fields.isNotEmpty()) { "$change is none" }
                check(devices.put(change.after.id, change.after) == change.before) { "$change from another state" }
            }
        }
    }
}
