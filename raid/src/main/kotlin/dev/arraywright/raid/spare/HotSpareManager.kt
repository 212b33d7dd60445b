package dev.arraywright.raid.spare

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.spare.pool.RebuildQueue
import dev.arraywright.raid.spare.pool.SpareIntake
import dev.arraywright.raid.spare.pool.SparePool
import dev.arraywright.raid.spare.watch.GroupSupervisor
import dev.arraywright.raid.spare.watch.ManagedGroup
import dev.arraywright.raid.spare.watch.Shared
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.coroutines.CoroutineContext
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/**
 * Looks after arrays: watches members, brings in spares, and tells what it does. One supervisor coroutine a group;
 * spares of an array are dedicated to it, and those registered here are for any of them. What is asked for and cannot
 * be done is refused with an [ArrayException], and then nothing was changed.
 *
 * Made stopped; [start] begins to monitor. Thread-safe. Arrays stay the caller's, and are looked after by themselves
 * again once they are unregistered.
 *
 * @param context a dispatcher that may not be blocked, and a parent job
 * @param tell is given each event, in order for each group; must return at once
 */
public class HotSpareManager(
    context: CoroutineContext,
    clock: Clock,
    time: TimeSource.WithComparableMarks,
    surroundings: Surroundings,
    policy: HotSparePolicy = HotSparePolicy(),
    tell: (GroupEvent) -> Unit,
) {
    private val job = SupervisorJob(context[Job])
    private val scope = CoroutineScope(context + job)
    private val shared = Shared(clock, time, surroundings, policy, tell)
    private val intake = SpareIntake(shared, scope)
    private val orders = Orders(shared)
    private val changing = Mutex()

    /** What holds now; see [policyChanged]. */
    public val policy: StateFlow<HotSparePolicy> = shared.policy.asStateFlow()

    /** All spares, shared and dedicated, and why each is or is not eligible for each group. */
    public val spares: StateFlow<List<SpareStatus>> = shared.spares.asStateFlow()

    /** Rebuilds of all groups that have not ended. */
    public val activeRebuilds: StateFlow<List<RebuildStatus>> = shared.rebuilds.asStateFlow()

    /** How many spares there are, shared and dedicated. */
    public val spareCount: Int get() = spares.value.size

    /** Names of the groups that are registered. */
    public val groups: List<String> get() = shared.groups.value.keys.toList()

    /** True between [start] and [stop]. */
    public var monitoring: Boolean = false
        private set

    /** Begins to look after all groups, and tells again of everything that is not healthy. */
    public suspend fun start(): Unit = changing.withLock {
        if (monitoring) return
        monitoring = true
        intake.begin()
        for (group in shared.groups.value.values) supervise(group)
    }

    /** Ends monitoring: nothing is decided any more, rebuilds go on. */
    public suspend fun stop(): Unit = changing.withLock {
        monitoring = false
        intake.end()
        for (group in shared.groups.value.values) group.release()
    }

    /** Looks after an array from now on; it takes up its own spares no more by itself. */
    public suspend fun register(group: DeviceGroup): Unit = changing.withLock {
        val known = shared.groups.value
        val why = when {
            group.name in known -> "a group of that name is registered"
            known.values.any { it.array === group.array } -> "its array is registered under another name"
            group.array.state.value.stopped -> "its array is stopped"
            else -> null
        }
        if (why != null) throw refusal("cannot look after ${group.name}", why, "name a running array once")
        val managed = ManagedGroup(group, shared)
        shared.groups.update { it + (group.name to managed) }
        managed.attach()
        shared.changed()
        if (monitoring) supervise(managed)
    }

    /** Leaves an array to itself; returns once its supervisor has ended. */
    public suspend fun unregister(name: String): Unit = changing.withLock {
        val group = shared.group(name)
        group.release()
        group.detach()
        shared.groups.update { it - name }
        shared.changed()
    }

    /** Says which failure domain a device of a group is in, such as a spare that joined it; null: it is not known. */
    public fun domain(group: String, deviceId: String, domain: String?) {
        shared.group(group).domain(deviceId, domain)
        shared.changed()
    }

    /**
     * Takes a device as a spare for any group, after a check that reads, writes and verifies. What it holds is the
     * caller's to look at before: it is overwritten once the spare is used.
     */
    public suspend fun registerSpare(spare: SpareDevice) {
        intake.register(spare)
    }

    /** Gives back a shared spare that is not in use. */
    public suspend fun unregisterSpare(id: String): AsyncBlockDevice = intake.unregister(id)

    /** Changes how arrays are looked after, running rebuilds included. */
    public fun policyChanged(new: HotSparePolicy) {
        shared.policy.value = new
        for (group in shared.groups.value.values) group.array.paceLimits = new.pace
        shared.changed()
    }

    /** A device is known to be gone: who uses it need not find out. Another call may say that it is back. */
    public suspend fun deviceGone(deviceId: String, cause: String): Unit = coroutineScope {
        launch { intake.gone(deviceId, cause) }
        // Side by side, since an array whose other members hang takes its time.
        for (group in shared.groups.value.values) launch { shared.guarded(group.name) { group.gone(deviceId, cause) } }
    }

    /** A device that was away may be back: it is looked for at once, not at the next health check. */
    public fun deviceReturned(deviceId: String) {
        for (group in shared.groups.value.values) group.returned(deviceId)
    }

    /** What reads of a device take as a rule, as its group sees it; null if no group reads it. Returns at once. */
    public fun latency(deviceId: String): Duration? =
        shared.groups.value.values.firstNotNullOfOrNull { it.health.latency(deviceId) }

    /** Rebuilds the slot that [failed] left onto [replacement], or onto the spare that suits best. */
    public suspend fun forceRebuild(group: String, failed: String, replacement: String? = null) {
        orders.forceRebuild(group, failed, replacement)
    }

    /** Rebuilds an empty slot, as where nobody knows who was in it. */
    public suspend fun forceRebuild(group: String, slot: Int, replacement: String? = null) {
        orders.forceRebuild(group, slot, replacement)
    }

    /** Fills a spare beside a member that still serves, and swaps the two then. */
    public suspend fun replace(group: String, deviceId: String, spareId: String? = null) {
        orders.replace(group, deviceId, spareId)
    }

    /** Holds a rebuild where it is. */
    public suspend fun pauseRebuild(id: String) {
        orders.rebuilding(id, "pause").pause(id)
    }

    /** Lets a paused rebuild go on. */
    public suspend fun resumeRebuild(id: String) {
        orders.rebuilding(id, "resume").resume(id)
    }

    /** Ends a rebuild; its slot stays empty until [forceRebuild], or until another spare is there. */
    public suspend fun cancelRebuild(id: String) {
        orders.rebuilding(id, "cancel").cancel(id)
    }

    /** Scrubs a group's array, from its start. */
    public suspend fun startScrub(group: String, mode: ScrubMode = ScrubMode.CHECK) {
        shared.group(group).array.scrubs.start(mode)
    }

    /** Holds a group's scrub where it is. */
    public suspend fun pauseScrub(group: String) {
        shared.group(group).array.scrubs.pause()
    }

    /** Lets a group's paused scrub go on. */
    public suspend fun resumeScrub(group: String) {
        shared.group(group).array.scrubs.resume()
    }

    /** Ends a group's scrub; its report stays. */
    public suspend fun stopScrub(group: String) {
        shared.group(group).array.scrubs.stop()
    }

    /** Ends all supervisors and leaves the arrays to themselves; shared spares are the caller's again. */
    public suspend fun close() {
        withTimeoutOrNull(CLOSING) { stop() }
        job.cancel()
        withTimeoutOrNull(CLOSING) { job.children.toList().joinAll() }
        for (group in shared.groups.value.values) group.detach()
        shared.groups.value = emptyMap()
        shared.changed()
    }

    private fun supervise(group: ManagedGroup) {
        // Known to the group before it runs: who has no supervisor asks for no spares.
        val supervisor = scope.launch(start = CoroutineStart.LAZY) { GroupSupervisor(group, shared).run() }
        group.supervise(supervisor)
        supervisor.start()
    }

    private companion object {
        val CLOSING = 30.seconds
    }
}

internal fun refusal(what: String, why: String, remedy: String) = ArrayException.WrongState(what, why, remedy)
