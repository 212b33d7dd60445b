package dev.arraywright.kernel.spare

import dev.arraywright.raid.repair.RebuildStatus
import dev.arraywright.raid.repair.ScrubStatus
import dev.arraywright.raid.spare.SpareHealth
import dev.arraywright.raid.spare.SpareStatus

/** [address] tells where a device id is. */
internal fun RebuildStatus.toView(array: String, address: (String) -> String): RebuildView = RebuildView(
    id = id,
    array = array,
    kind = kind.name.lowercase(),
    slot = slot,
    failed = failed?.let(address),
    replacement = address(replacement),
    done = progress.done,
    total = progress.total,
    rate = rate,
    started = started.toString(),
    remainingSeconds = remaining?.inWholeSeconds,
    phase = phase.name.lowercase(),
    error = error,
)

internal fun ScrubStatus.toView(array: String): ScrubView = ScrubView(
    array = array,
    mode = mode.name.lowercase(),
    done = progress.done,
    total = progress.total,
    mismatches = mismatches,
    repaired = repaired,
    unreadable = unreadable,
    places = places.map { PlaceView(it.offset, it.length, it.wrong, it.what) },
    rate = rate,
    started = started.toString(),
    remainingSeconds = remaining?.inWholeSeconds,
    phase = phase.name.lowercase(),
    error = error,
)

internal fun SpareStatus.toView(address: (String) -> String): SpareView {
    val (text, checked) = when (val now = health) {
        is SpareHealth.Good -> "ok" to now.checked.toString()
        SpareHealth.Checking -> "being checked" to null
        SpareHealth.Unchecked -> "not checked yet" to null
    }
    val views = verdicts.map { (group, verdict) -> VerdictView(group, verdict.eligible, verdict.why) }
    return SpareView(address(id), size, dedicatedTo, domain, text, checked, views)
}
