package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.spare.GroupEvent
import dev.arraywright.raid.spare.HotSparePolicy
import dev.arraywright.raid.spare.SpareHealth
import dev.arraywright.raid.spare.SpareStatus
import dev.arraywright.raid.spare.Surroundings
import dev.arraywright.raid.spare.pool.Choice
import dev.arraywright.raid.spare.pool.RebuildQueue
import dev.arraywright.raid.spare.pool.SpareChoice
import dev.arraywright.raid.spare.pool.SparePool
import dev.arraywright.raid.spare.pool.Want
import dev.arraywright.raid.spare.refusal
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update
import kotlin.time.Clock
import kotlin.time.TimeSource

/** What the supervisors of all groups have in common. Thread-safe. */
internal class Shared(
    val clock: Clock,
    val time: TimeSource.WithComparableMarks,
    val surroundings: Surroundings,
    first: HotSparePolicy,
    private val listener: (GroupEvent) -> Unit,
) {
    val policy = MutableStateFlow(first)
    val groups = MutableStateFlow<Map<String, ManagedGroup>>(emptyMap())
    val rebuilds = MutableStateFlow<List<RebuildStatus>>(emptyList())
    val spares = MutableStateFlow<List<SpareStatus>>(emptyList())
    val pool = SparePool()
    val queue = RebuildQueue { policy.value.maxConcurrentRebuilds }
    private val listing = Any()

    fun tell(event: GroupEvent) {
        listener(event)
    }

    fun group(name: String): ManagedGroup = groups.value[name]
        ?: throw refusal(
            "cannot find the group $name",
            "no group of that name is registered",
            "name one of ${groups.value.keys}",
        )

    /** The group that has a device as member or spare, or as one that is out. */
    fun user(deviceId: String): String? = groups.value.values.firstOrNull { it.has(deviceId) }?.name

    /** Who gets which spare, as things are now. */
    fun plan(): Map<Want, Choice> {
        val groups = groups.value
        return SpareChoice.assign(groups.values.flatMap { it.wants() }, pool.candidates) {
            groups[it]?.dedicated().orEmpty()
        }
    }

    /** Spares, members or the policy changed: everybody has another look. */
    fun changed() {
        synchronized(listing) { spares.value = list() }
        queue.reconsider()
        for (group in groups.value.values) group.wake()
    }

    /** A spare that was not there before: what was called off may be tried again. */
    fun spareCame() {
        for (group in groups.value.values) group.lift()
        changed()
    }

    fun rebuild(status: RebuildStatus) {
        rebuilds.update { all ->
            val others = all.filter { it.id != status.id }
            if (status.phase.terminal) others else others + status
        }
        queue.reconsider()
    }

    /** A rebuild is nobody's concern here any more. */
    fun forget(id: String) {
        rebuilds.update { all -> all.filter { it.id != id } }
    }

    /** Runs a step whose failure is told, and nothing else: its like is tried again. */
    suspend fun guarded(group: String?, step: suspend () -> Unit) {
        try {
            step()
        } catch (cancelled: CancellationException) {
            currentCoroutineContext().ensureActive()
            tell(GroupEvent.SupervisorTrouble(group, cancelled.message ?: cancelled.toString()))
        } catch (trouble: Exception) {
            tell(GroupEvent.SupervisorTrouble(group, trouble.message ?: trouble.toString()))
        }
    }

    private fun list(): List<SpareStatus> {
        val groups = groups.value.values.filter { it.takesSpares }
        val pooled = pool.all
        val common = pool.candidates.mapNotNull { candidate ->
            val entry = pooled[candidate.id] ?: return@mapNotNull null
            val verdicts = groups.associate { it.name to SpareChoice.verdict(it.need(null), candidate) }
            candidate.run { SpareStatus(id, size, type, domain, null, entry.health, verdicts) }
        }
        return common + groups.flatMap { group ->
            group.dedicated().map {
                val verdict = mapOf(group.name to SpareChoice.verdict(group.need(null), it))
                val health = group.checked[it.id]?.let { at -> SpareHealth.Good(at) } ?: SpareHealth.Unchecked
                SpareStatus(it.id, it.size, it.type, it.domain, group.name, health, verdict)
            }
        }
    }
}
