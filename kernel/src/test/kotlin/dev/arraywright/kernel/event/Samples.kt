package dev.arraywright.kernel.event

import java.time.Instant

/** One occurrence of each kind, with every field set that it has. */
internal val samples: List<Occurrence> = listOf(
    DeviceGroupCreated("vault", "raid6", 48L shl 20, listOf("file:/m0", "file:/m1"), listOf("file:/s0"), "why"),
    DeviceAdded("vault", "file:/m9", 3, "why"),
    DeviceRemoved("vault", "file:/m9", 3, "why"),
    DeviceLeftOut("vault", "file:/m9", "it is stale"),
    DeviceHealthWarning("vault", "block:/dev/sdb", 2, 17, "reallocated sectors"),
    DeviceFailed("vault", "block:/dev/sdb", 2, "write error at 4096"),
    DeviceReturned("vault", "nbd://a/b", 2, "file:/s0", "why"),
    DeviceReadded("vault", "nbd://a/b", 2, 65_536, "why"),
    FailoverStarted("vault", "block:/dev/sdb", 2, "file:/s0", predicted = true, cause = "health 17"),
    RebuildStarted("vault", "r1", 2, "file:/s0", 1000, 10, "block:/dev/sdb", "why"),
    RebuildProgress("vault", "r1", 2, "file:/s0", 500, 1000, cause = "why"),
    RebuildComplete("vault", "r1", 2, "file:/s0", 1000, cause = "why"),
    RebuildFailed("vault", "r1", 2, "file:/s0", 500, 1000, "the spare is gone"),
    RebuildCancelled("vault", "r1", 2, "file:/s0", 500, 1000, "asked for"),
    RebuildPaused("vault", "r1", 2, "file:/s0", 500, 1000, "asked for"),
    RebuildResumed("vault", "r1", 2, "file:/s0", 500, 1000, "asked for"),
    SpareAdded(Occurrence.KERNEL, "file:/s0", 1L shl 30, "why"),
    SpareRemoved("vault", "file:/s0", "why"),
    SpareFailed("vault", "file:/s0", "it does not read"),
    SpareExhausted("vault", "block:/dev/sdb", 2, "file:/s1 is too small"),
    ArrayAssembled("vault", "raid6", 48L shl 20, listOf("file:/m0", "file:/m1"), "why"),
    ArrayResyncStarted("vault", 1000, 10, "unclean shutdown"),
    ArrayResyncComplete("vault", 1000, "why"),
    ArrayDegraded("vault", 1, 5, "why"),
    ArrayRecovered("vault", "why"),
    ArrayFailed("vault", 3, 5, "slot 2 failed"),
    ArrayStopped("vault", "why"),
    ScrubStarted("vault", true, 1000, 10, "weekly"),
    ScrubProgress("vault", 500, 1000, 2, cause = "why"),
    ScrubComplete("vault", 1000, 2, 2, cause = "why"),
    ScrubFailed("vault", 500, 1000, "past its tolerance", 2),
    ScrubStopped("vault", 500, 1000, 2, "asked for"),
    ScrubPaused("vault", 500, 1000, "asked for"),
    ScrubResumed("vault", 500, 1000, "asked for"),
    PolicyChanged("vault", "rebuild-priority", "50", "80", "asked for"),
    SupervisorTrouble("vault", "asked for"),
    ExportStarted("vault", "v", "nbd://127.0.0.1/v", "why"),
    ExportStopped("vault", "v", "why"),
)

internal fun event(sequence: Long, occurrence: Occurrence = ArrayRecovered("vault")): KernelEvent =
    KernelEvent(sequence, Instant.ofEpochSecond(1_780_000_000 + sequence), occurrence)
