package dev.arraywright.raid.spare.pool

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.spare.GroupEvent
import dev.arraywright.raid.spare.SpareDevice
import dev.arraywright.raid.spare.SpareHealth
import dev.arraywright.raid.spare.refusal
import dev.arraywright.raid.spare.watch.Shared
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.collectLatest
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration.Companion.minutes

/** Who comes into the shared pool and leaves it, and the checks of those in it. */
internal class SpareIntake(private val shared: Shared, private val scope: CoroutineScope) {
    private val pool = shared.pool
    private var checks: Job? = null

    fun begin() {
        checks = scope.launch {
            shared.policy.map { it.spareCheckInterval }.distinctUntilChanged().collectLatest { interval ->
                while (true) {
                    delay(interval)
                    for (id in pool.all.keys) shared.guarded(null) { check(id) }
                }
            }
        }
    }

    suspend fun end() {
        checks?.cancelAndJoin()
        checks = null
    }

    suspend fun register(spare: SpareDevice) {
        val id = spare.id
        refuseUnlessFree(spare)
        if (!pool.add(spare, SpareHealth.Checking)) throw refused(id, "it is a spare already")
        var failure: String? = "its check was broken off"
        try {
            failure = SpareCheck(spare.device, write = true).run()
        } finally {
            if (failure == null) pool.endCheck(id, good()) else pool.drop(id)
            shared.changed()
        }
        if (failure != null) {
            val what = "cannot take $id as a spare"
            throw ArrayException.DeviceFailed(what, failure, "check the device, or take another", null)
        }
        shared.tell(GroupEvent.SpareAdded(null, id))
        shared.spareCame()
    }

    suspend fun unregister(id: String): AsyncBlockDevice {
        withTimeoutOrNull(PATIENCE) { pool.unchecked(id) }
        val spare = pool.take(id)
        if (spare == null) {
            val what = "cannot give back $id"
            val user = shared.user(id)
            throw if (user != null)
                ArrayException.InUse(what, "it is in use by the group $user", "remove it from the array instead")
            else if (id in pool.all)
                refusal(what, "it is being checked", "try again in a while")
            else
                refusal(what, "it is no shared spare", "name one of ${pool.all.keys}")
        }
        for (group in shared.groups.value.values) group.lent -= id
        shared.tell(GroupEvent.SpareRemoved(null, id))
        shared.changed()
        return spare.device
    }

    /** One that is being checked is found gone by that. */
    suspend fun gone(id: String, cause: String) {
        val spare = pool.take(id) ?: return
        shared.changed()
        shared.tell(GroupEvent.SpareFailed(null, id, cause))
        shared.surroundings.close(spare.device)
    }

    private suspend fun check(id: String) {
        val (spare, before) = pool.beginCheck(id) ?: return
        var health = before
        var failure: String? = null
        try {
            failure = SpareCheck(spare.device, write = true).run()
            health = good()
        } finally {
            if (failure == null) pool.endCheck(id, health) else pool.drop(id)
            shared.changed()
        }
        if (failure != null) {
            shared.tell(GroupEvent.SpareFailed(null, id, failure))
            shared.surroundings.close(spare.device)
        }
    }

    private fun refuseUnlessFree(spare: SpareDevice) {
        val id = spare.id
        val info = spare.device.info()
        val user = shared.user(id)
        if (user != null) {
            val remedy = "remove it there first"
            throw ArrayException.InUse("cannot take $id as a spare", "it is in use by the group $user", remedy)
        }
        if (info.readOnly()) {
            throw ArrayException.UnfitDevice("cannot take $id as a spare", "it is read-only", "take another")
        }
    }

    private fun refused(id: String, why: String) =
        ArrayException.InUse("cannot take $id as a spare", why, "remove it there first")

    private fun good() = SpareHealth.Good(shared.clock.now())

    private companion object {
        /** More than a check takes on a device that hangs at each call. */
        val PATIENCE = 2.minutes
    }
}
