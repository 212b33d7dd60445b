package dev.arraywright.raid.array

import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus
import dev.arraywright.spi.device.DeviceIoException
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.time.Duration

/** All that watch an array. */
internal class Observers : ArrayObserver {
    private val all = CopyOnWriteArrayList<ArrayObserver>()

    /** Until the result is closed. */
    fun add(observer: ArrayObserver): AutoCloseable {
        all += observer
        return AutoCloseable { all -= observer }
    }

    override fun changed(before: ArrayState, after: ArrayState) {
        for (observer in all) observer.changed(before, after)
    }

    override fun called(deviceId: String, call: MemberCallKind, took: Duration, failure: DeviceIoException?) {
        for (observer in all) observer.called(deviceId, call, took, failure)
    }

    override fun rebuild(status: RebuildStatus) {
        for (observer in all) observer.rebuild(status)
    }

    override fun scrub(status: ScrubStatus) {
        for (observer in all) observer.scrub(status)
    }
}
