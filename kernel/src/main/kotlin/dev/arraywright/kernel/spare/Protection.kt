package dev.arraywright.kernel.spare

import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.spare.HotSparePolicy
import kotlinx.coroutines.flow.StateFlow

/**
 * What keeps the arrays of a kernel whole: spares, failover, rebuilds, scrubs. Arrays are named as in the kernel, devices
 * by address. What cannot be done is refused with a `KernelError`, and then nothing was changed. Thread-safe.
 */
public class Protection internal constructor() {
    /** What holds now. */
    public val policy: StateFlow<HotSparePolicy> get() = error("not yet")

    /** What there is to know, as it changes. */
    public val status: StateFlow<ProtectionStatus> get() = error("not yet")

    /**
     * Takes a device as a spare of [array], or without one for any array, after a check that reads, writes and verifies;
     * what is on it is lost. [domain] is its failure domain: enclosure, node, host.
     */
    public suspend fun addSpare(address: String, array: String? = null, domain: String? = null): Unit = error("not yet")

    /** Lets go of a spare, shared or dedicated, that is not in use, and closes it. */
    public suspend fun removeSpare(address: String): Unit = error("not yet")

    /** Rebuilds the slot that [member] (its address, or the slot's number) left onto [spare], or onto the one that suits best. */
    public suspend fun forceRebuild(array: String, member: String, spare: String? = null): Unit = error("not yet")

    /** Fills a spare beside [member], which still serves, and swaps the two then. */
    public suspend fun replace(array: String, member: String, spare: String? = null): Unit = error("not yet")

    /** Holds a rebuild where it is. */
    public suspend fun pauseRebuild(id: String): Unit = error("not yet")

    /** Lets a paused rebuild go on. */
    public suspend fun resumeRebuild(id: String): Unit = error("not yet")

    /** Ends a rebuild; its device is a spare again. */
    public suspend fun cancelRebuild(id: String): Unit = error("not yet")

    /** Compares the redundancy of a whole array with its data, from the start. */
    public suspend fun startScrub(array: String, mode: ScrubMode = ScrubMode.CHECK): Unit = error("not yet")

    /** Holds a scrub where it is. */
    public suspend fun pauseScrub(array: String): Unit = error("not yet")

    /** Lets a paused scrub go on. */
    public suspend fun resumeScrub(array: String): Unit = error("not yet")

    /** Ends a scrub; its report stays. */
    public suspend fun stopScrub(array: String): Unit = error("not yet")

    /** Changes how arrays are looked after, running rebuilds included. */
    public suspend fun setPolicy(policy: HotSparePolicy): Unit = error("not yet")
}
