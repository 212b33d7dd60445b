package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.MemberCallKind
import dev.arraywright.raid.health.LatencyOutliers
import dev.arraywright.raid.health.LatencyWindow
import dev.arraywright.raid.health.ReadErrorRate
import dev.arraywright.raid.spare.HotSparePolicy
import dev.arraywright.spi.device.DeviceIoException
import dev.arraywright.spi.device.DeviceIoException.DeviceGoneException
import dev.arraywright.spi.device.DeviceIoException.TimedOutException
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.TimeSource

/** What the calls to a group's devices tell of them. Thread-safe, but for [slow]. */
internal class MemberHealth(private val time: TimeSource, private val policy: () -> HotSparePolicy) {
    private inner class Watched {
        val latency = LatencyWindow(time)
        val readErrors = ReadErrorRate(time, { policy().readErrorLimit }, { policy().readErrorWindow })

        @Volatile
        var away: Boolean? = null
    }

    private val devices = ConcurrentHashMap<String, Watched>()
    private val outliers = LatencyOutliers(time) { policy().latency }

    /** Devices with more failed reads than the policy allows, until they are dealt with. */
    val overRate: MutableSet<String> = ConcurrentHashMap.newKeySet()

    /** True if the device has just become one to be failed. */
    fun called(deviceId: String, call: MemberCallKind, took: Duration, failure: DeviceIoException?): Boolean {
        val watched = devices.computeIfAbsent(deviceId) { Watched() }
        val away = failure is DeviceGoneException || failure is TimedOutException
        watched.away = away
        if (call != MemberCallKind.READ) return false
        if (failure == null || failure is TimedOutException) watched.latency.add(took)
        if (failure == null || away) return false
        return watched.readErrors.failed() && overRate.add(deviceId)
    }

    /** The device is gone, as somebody knows. */
    fun gone(deviceId: String) {
        devices.computeIfAbsent(deviceId) { Watched() }.away = true
    }

    /** Whether the device's last call failed as it was gone or did not answer; null if none is known. */
    fun away(deviceId: String): Boolean? = devices[deviceId]?.away

    /** What reads of the device take as a rule; null if there were none lately. */
    fun latency(deviceId: String): Duration? =
        devices[deviceId]?.latency?.summary()?.takeIf { it.samples > 0 }?.median

    /** Those of the members that are far slower than the others, and how that shows. */
    fun slow(members: Collection<String>): Map<String, String> {
        val latencies = members.mapNotNull { id -> devices[id]?.let { id to it.latency.summary() } }
        return outliers.look(latencies.toMap())
    }

    /** Another device may be behind the id from now on, or it gets another chance. */
    fun forget(deviceId: String) {
        devices.remove(deviceId)
        overRate.remove(deviceId)
    }

    fun retain(deviceIds: Set<String>) {
        devices.keys.retainAll(deviceIds)
    }
}
