package dev.arraywright.raid.spare.watch

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.MemberState
import dev.arraywright.raid.array.SlotState
import dev.arraywright.raid.repair.RebuildKind
import dev.arraywright.raid.repair.RebuildPhase
import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.spare.GroupEvent
import dev.arraywright.raid.spare.pool.SpareCheck
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Looks after one group until it is cancelled. Whatever fails in a step is told, and tried again with the next. */
internal class GroupSupervisor(private val group: ManagedGroup, private val shared: Shared) {
    private val reports = Reports(group, shared)
    private val returns = Returns(group, shared)
    private val scrubs = ScrubPlan(group, shared)
    private val policy get() = shared.policy.value
    private var lastHealth = shared.time.markNow()
    private var lastSpares = lastHealth

    /** Members that had too many read errors and could not be failed, as the array needs them. */
    private val kept = HashMap<String, String>()

    /** Looking for members that are away and at spares, which may take long where they hang. */
    private var aside: Job? = null

    suspend fun run(): Unit = coroutineScope {
        for (notice in group.notices.take()) guarded { heard(notice) }
        reports.all(group.state)
        step(true)
        while (true) {
            val wait = (policy.healthCheckInterval - lastHealth.elapsedNow()).coerceAtLeast(Duration.ZERO)
            val next = minOf(wait, group.book.next() ?: wait)
            // A millisecond more: timeouts are rounded, and nothing is gained by coming too early.
            withTimeoutOrNull(next + 1.milliseconds) { group.notices.woken.receive() }
            val due = lastHealth.elapsedNow() >= policy.healthCheckInterval
            step(due)
        }
    }

    private suspend fun CoroutineScope.step(due: Boolean) {
        for (notice in group.notices.take()) guarded { heard(notice) }
        if (group.state.stopped) return
        if (due) {
            lastHealth = shared.time.markNow()
            guarded { look() }
        }
        val seen = group.announced.isNotEmpty()
        if ((due || seen) && aside?.isActive != true) aside = launch { lookAround(due) }
        guarded { group.mutex.withLock { failBad() } }
        guarded { group.mutex.withLock { group.failover.act() } }
        guarded { scrubs.act() }
    }

    private suspend fun lookAround(due: Boolean) {
        guarded { returns.look(due) }
        if (due) guarded { checkSpares() }
        if (group.announced.isNotEmpty()) group.wake()
    }

    private suspend fun heard(notice: Notice) {
        when (notice) {
            is Notice.Changed -> {
                reports.changed(notice.before, notice.after)
                forgetLost(notice.before, notice.after)
                buryUnbegun(notice.before, notice.after)
            }
            is Notice.Rebuild -> {
                reports.rebuild(notice.status)
                if (notice.status.phase.terminal) settle(notice.status)
            }
            is Notice.Scrub -> {
                reports.scrub(notice.status)
                scrubs.moved(notice.status)
            }
        }
    }

    /** A member that fails is another story than what was tried in its slot before. */
    private fun forgetLost(before: ArrayState, after: ArrayState) {
        for ((was, slot) in before.slots.zip(after.slots)) {
            if (was.member == MemberState.InSync && !slot.member.takesWrites) group.book.clear(slot.slot)
        }
    }

    /** Who failed before its turn to be filled came: no rebuild has begun whose end would tell of it. */
    private suspend fun buryUnbegun(before: ArrayState, after: ArrayState) {
        for (out in after.out - before.out.toSet()) {
            val was = before.slots[out.slot]
            val member = (was.member as? MemberState.Rebuilding)?.takeIf { was.deviceId == out.deviceId }
            val filled = member != null || was.replacement?.deviceId == out.deviceId
            if (!filled || group.unsettled[out.slot]?.replacement == out.deviceId) continue
            if (member?.byBitmap == true)
                shared.tell(GroupEvent.MemberFailed(group.name, out.slot, out.deviceId, out.cause))
            else
                group.mutex.withLock { group.failover.retire(out.deviceId, out.cause) }
        }
    }

    private suspend fun settle(status: RebuildStatus) {
        try {
            group.mutex.withLock { ended(status) }
        } finally {
            group.unsettled.computeIfPresent(status.slot) { _, last -> last.takeIf { it.id != status.id } }
        }
    }

    private suspend fun ended(status: RebuildStatus) {
        val now = group.state
        val slot = now.slots[status.slot]
        when {
            status.phase == RebuildPhase.COMPLETE -> {
                group.book.clear(status.slot)
                group.borrowed -= status.replacement
                group.lent -= status.replacement
            }
            status.spareAtFault && status.kind == RebuildKind.READD -> {
                val cause = status.error.orEmpty()
                shared.tell(GroupEvent.MemberFailed(group.name, status.slot, status.replacement, cause))
            }
            status.spareAtFault -> group.failover.retire(status.replacement, status.error.orEmpty())
            status.calledOff(now) -> group.book.hold(status.slot)
            // Its device went on, in the place of the member that it was filled beside.
            status.phase == RebuildPhase.FAILED && slot.deviceId != status.replacement ->
                group.book.putOff(status.slot, policy.retryDelay)
        }
        group.failover.giveBack(status.replacement)
    }

    /** Who is predicted to fail. */
    private fun look() {
        val members = group.state.slots.filter { it.member == MemberState.InSync && it.deviceId != null }
        val ids = members.mapNotNull { it.deviceId }
        group.health.retain(ids.toSet() + group.state.out.map { it.deviceId })
        kept.keys.retainAll(ids.toSet())
        val slow = group.health.slow(ids)
        val told = ids.mapNotNull { id -> shared.surroundings.health(id)?.let { id to it } }.toMap()
        warn(members, kept + slow + told)
    }

    private fun warn(members: List<SlotState>, warnings: Map<String, String>) {
        val before = group.warnings
        group.warnings = warnings
        for (slot in members) {
            val id = slot.deviceId!!
            val cause = warnings[id] ?: continue
            if (id !in before) shared.tell(GroupEvent.HealthWarning(group.name, slot.slot, id, cause))
        }
    }

    /** Fails members with too many read errors, or has them replaced where the array cannot do without. */
    private suspend fun failBad() {
        for (id in group.health.overRate.toList()) {
            val slot = group.state.slots.firstOrNull { it.deviceId == id && it.member.takesWrites }
            if (slot == null) {
                group.health.forget(id)
                continue
            }
            val cause = "more than ${policy.readErrorLimit} reads failed within ${policy.readErrorWindow}"
            try {
                group.array.fail(id, cause)
            } catch (_: ArrayException.WrongState) {
                kept[id] = cause
                warn(listOf(slot), group.warnings + (id to cause))
            }
            group.health.overRate -= id
        }
    }

    /** The array's own spares hold its superblock: they are only read. */
    private suspend fun checkSpares() {
        if (lastSpares.elapsedNow() < policy.spareCheckInterval && group.checked.keys.containsAll(
                group.state.spares,
            )
        )
            return
        lastSpares = shared.time.markNow()
        group.checked.keys.retainAll(group.state.spares.toSet())
        for (device in group.array.devices().filter { it.info().id() in group.state.spares }) {
            val id = device.info().id()
            val failure = SpareCheck(device, write = false).run()
            if (failure == null) {
                group.checked[id] = shared.clock.now()
                continue
            }
            group.mutex.withLock {
                if (id !in group.state.spares) return@withLock
                group.lent += id
                withContext(NonCancellable) {
                    group.array.remove(id)
                    group.borrowed -= id
                    shared.surroundings.close(device)
                }
                shared.tell(GroupEvent.SpareFailed(group.name, id, failure))
            }
        }
        shared.changed()
    }

    private suspend fun guarded(step: suspend () -> Unit) {
        shared.guarded(group.name, step)
    }
}
