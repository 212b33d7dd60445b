package dev.arraywright.raid.array.io

import dev.arraywright.spi.device.DeviceIoException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext

/** A call to one member, as part of a stripe's. */
internal class MemberCall(val slot: Int, val member: Member, val action: suspend (Member) -> Unit)

/** What failed, by slot. */
internal typealias Failures = Map<Int, DeviceIoException>

/** Runs all calls at once and waits for all; the failed ones are the result. */
internal suspend fun callAll(calls: List<MemberCall>): Failures {
    if (calls.isEmpty()) return emptyMap()
    if (calls.size == 1) return listOfNotNull(attempt(calls[0])).toMap()
    return coroutineScope { calls.map { async { attempt(it) } }.awaitAll() }.filterNotNull().toMap()
}

private suspend fun attempt(call: MemberCall): Pair<Int, DeviceIoException>? = try {
    call.action(call.member)
    null
} catch (failure: DeviceIoException) {
    call.slot to failure
}

/**
 * Runs the calls that change a stripe, all to their end even if the client gives up, so that copies and parity never
 * part ways; members that fail are failed and recorded before this returns.
 */
internal suspend fun Engine.commit(view: View, calls: List<MemberCall>) {
    withContext(NonCancellable) {
        val all = calls + calls.mapNotNull { it.beside(view) }
        val failures = callAll(all)
        for ((slot, failure) in failures) fail(all.first { it.slot == slot }.member, failure)
        settle(view)
    }
}

/** The same to who is filled beside the slot's member, under a number of its own. */
private fun MemberCall.beside(view: View): MemberCall? =
    if (slot >= view.members.size)
        null
    else
        view.replacement(slot)?.let {
            MemberCall(slot + view.members.size, it, action)
        }

/** A call to none but who is filled beside the member in [slot]. */
internal fun View.besideOnly(slot: Int, action: suspend (Member) -> Unit): MemberCall? =
    replacement(slot)?.let { MemberCall(slot + members.size, it, action) }
