package dev.arraywright.kernel.spare

import dev.arraywright.kernel.KernelOptions
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.config.PolicyConfiguration
import dev.arraywright.kernel.event.EventStream
import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.kernel.event.PolicyChanged
import dev.arraywright.kernel.machine.Places
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.spare.HotSpareManager
import dev.arraywright.raid.spare.HotSparePolicy
import kotlinx.coroutines.CoroutineScope
import kotlin.time.TimeSource

/** A kernel's protection and its parts. */
internal fun protection(
    options: KernelOptions,
    scope: CoroutineScope,
    engine: Arrays,
    members: Members,
    events: EventStream,
    places: Places,
): Protection {
    val marks = options.state?.let(::ScrubMarkFiles) ?: ScrubMarkMemory()
    val custody = Custody(members, PoolDevices(members), marks, places)
    val occurrences = GroupOccurrences(custody, events::emit)
    val manager = HotSpareManager(
        scope.coroutineContext,
        options.clock,
        TimeSource.Monotonic,
        custody,
        tell = occurrences::tell,
    )
    val desk = SpareDesk(engine, members, custody, manager, places, events::emit)
    return Protection(manager, custody, desk, occurrences, { before, after -> tell(before, after, events) }, scope)
}

/** Each setting that is another one, in the words of the configuration. */
private fun tell(before: HotSparePolicy, after: HotSparePolicy, events: EventStream) {
    val was = PolicyConfiguration.of(before).settings()
    for ((setting, value) in PolicyConfiguration.of(after).settings()) {
        if (was[setting] != value) {
            events.emit(PolicyChanged(Occurrence.KERNEL, setting, was[setting], value ?: "none"))
        }
    }
}
