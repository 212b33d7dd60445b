package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.Filling
import dev.arraywright.kernel.KernelError
import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.repair.ScrubMode
import dev.arraywright.raid.spare.DeviceGroup
import dev.arraywright.raid.spare.HotSpareManager
import dev.arraywright.raid.spare.HotSparePolicy
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.emptyFlow
import kotlinx.coroutines.flow.flatMapLatest
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.merge
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import kotlin.time.Duration

/**
 * What keeps the arrays of a kernel whole: spares, failover, rebuilds, scrubs. Arrays are named as in the kernel, devices
 * by address. What cannot be done is refused with a [KernelError], and then nothing was changed. Thread-safe.
 */
public class Protection internal constructor(
    private val manager: HotSpareManager,
    private val custody: Custody,
    private val intake: SpareDesk,
    private val occurrences: GroupOccurrences,
    private val tellPolicy: (HotSparePolicy, HotSparePolicy) -> Unit,
    scope: CoroutineScope,
) {
    private val changing = Mutex()

    @Volatile
    private var closed = false
    private val looked = MutableStateFlow<List<ArrayHandle>>(emptyList())
    private val shown = MutableStateFlow(ProtectionStatus())

    /** What holds now. */
    public val policy: StateFlow<HotSparePolicy> get() = manager.policy

    /** What there is to know, as it changes. */
    public val status: StateFlow<ProtectionStatus> = shown.asStateFlow()

    init {
        @OptIn(ExperimentalCoroutinesApi::class)
        val scrubs = looked.flatMapLatest { all ->
            if (all.isEmpty()) emptyFlow() else merge(*all.map { it.raid.scrubs.status }.toTypedArray())
        }
        scope.launch { merge(manager.spares, manager.activeRebuilds, scrubs, looked).map { }.collect { refresh() } }
    }

    /**
     * Takes a device as a spare of [array], or without one for any array, after a check that reads, writes and verifies;
     * what is on it is lost once it is used. [domain] is its failure domain: enclosure, node, host. A device that is not
     * there is refused.
     */
    public suspend fun addSpare(address: String, array: String? = null, domain: String? = null): Unit = changed {
        if (array == null)
            intake.share(
                address,
                domain,
            )
        else
            intake.dedicate(address, handle(array, "add a spare to it"), domain)
    }

    /**
     * As [addSpare], for any array: but a device that is not there becomes a spare when it is plugged in, and one that was
     * unplugged when it comes back, until [removeSpare]. True if it is there now. That is for block devices, in a kernel
     * that watches the machine.
     */
    public suspend fun awaitSpare(address: String, domain: String? = null): Boolean {
        var there = false
        changed { there = intake.await(address, domain) }
        return there
    }

    /** Lets go of a spare, shared or dedicated, that is not in use, and closes it. */
    public suspend fun removeSpare(address: String): Unit = changed { intake.remove(address) }

    /**
     * Rebuilds the slot that [member] left onto [spare], or onto the one that suits best. The member is named by its
     * address, or by the number of its slot.
     */
    public suspend fun forceRebuild(array: String, member: String, spare: String? = null): Unit = changed {
        val handle = handle(array, "rebuild $member")
        val onto = spare?.let { intake.id(it, "rebuild onto $it") }
        val slot = member.toIntOrNull()
        if (slot == null)
            manager.forceRebuild(array, handle.idOf(member, "rebuild"), onto)
        else
            manager.forceRebuild(array, slot, onto)
        handle.refresh()
    }

    /** Fills a spare beside [member], which still serves, and swaps the two then; redundancy never drops. */
    public suspend fun replace(array: String, member: String, spare: String? = null): Unit = changed {
        val handle = handle(array, "replace $member")
        val onto = spare?.let { intake.id(it, "replace $member by $it") }
        manager.replace(array, handle.idOf(member, "replace"), onto)
        handle.refresh()
    }

    /** Holds a rebuild where it is. */
    public suspend fun pauseRebuild(id: String): Unit = changed { manager.pauseRebuild(id) }

    /** Lets a paused rebuild go on. */
    public suspend fun resumeRebuild(id: String): Unit = changed { manager.resumeRebuild(id) }

    /** Ends a rebuild; its device is a spare again, and its slot stays empty until [forceRebuild] or another spare. */
    public suspend fun cancelRebuild(id: String): Unit = changed { manager.cancelRebuild(id) }

    /** Compares the redundancy of a whole array with its data, from the start. */
    public suspend fun startScrub(array: String, mode: ScrubMode = ScrubMode.CHECK): Unit =
        scrub(array, "scrub it") { manager.startScrub(array, mode) }

    /** Holds a scrub where it is. */
    public suspend fun pauseScrub(array: String): Unit = scrub(array, "pause its scrub") { manager.pauseScrub(array) }

    /** Lets a paused scrub go on. */
    public suspend fun resumeScrub(array: String): Unit =
        scrub(array, "resume its scrub") { manager.resumeScrub(array) }

    /** Ends a scrub; its report stays. */
    public suspend fun stopScrub(array: String): Unit = scrub(array, "stop its scrub") { manager.stopScrub(array) }

    /** Changes how all arrays are looked after, running rebuilds included. */
    public suspend fun setPolicy(policy: HotSparePolicy): Unit = changed {
        val before = manager.policy.value
        if (before == policy) return@changed
        manager.policyChanged(policy)
        tellPolicy(before, policy)
    }

    /** A device is known to be gone: whoever uses it need not find out. */
    internal suspend fun deviceGone(address: StorageAddress, cause: String) {
        val text = address.toString()
        val ids = custody.arrays.flatMap { handle ->
            handle.known.filterValues { it == text }.keys.filter(handle::uses)
        } +
            listOfNotNull(custody.pool.at(address)?.id)
        for (id in ids.toSet()) manager.deviceGone(id, cause)
        refresh()
    }

    /** What reads of a device take as a rule; null if no array reads one at an address that will do. */
    internal fun latency(address: (StorageAddress) -> Boolean): Duration? =
        custody.arrays.firstNotNullOfOrNull { handle ->
            handle.known.filterValues { address(custody.parse(it)) }.keys.firstNotNullOfOrNull(manager::latency)
        }

    /** A device is there that was not there before, and may be a spare that is awaited. */
    internal suspend fun arrived(address: StorageAddress): Unit = changed { intake.arrived(address) }

    /** Addresses that arrays and spares are known by, and those of spares that are awaited. */
    internal fun known(): Set<StorageAddress> =
        custody.arrays.flatMap {
            it.known.values
        }.map(custody::parse).toSet() + custody.pool.addresses + intake.awaited()

    /** A device that was away may be back, as somebody saw: it is looked for at once. */
    public fun deviceReturned(address: String) {
        for (handle in custody.arrays) {
            handle.known.filterValues { it == address }.keys.forEach(manager::deviceReturned)
        }
    }

    /** Whether the device is a shared spare that no array has. */
    internal fun holds(address: StorageAddress): Boolean = custody.pool.at(address) != null

    /** The shared spares that no array has, awaited ones included. */
    internal suspend fun pooled(): List<StorageAddress> = changing.withLock { intake.pooled() }

    /** Looks after an array from now on; [domains] by address. */
    internal suspend fun register(handle: ArrayHandle, domains: Map<StorageAddress, String>): Unit = changed {
        manager.start()
        val byId = domains.entries.mapNotNull { (address, domain) ->
            handle.known.entries.firstOrNull { it.value == address.toString() }?.let { it.key to domain }
        }
        custody.watch(handle)
        try {
            manager.register(DeviceGroup(handle.name, handle.raid, byId.toMap()))
        } catch (e: Throwable) {
            custody.unwatch(handle.name)
            throw e
        }
        handle.protection = Filling(manager::forceRebuild)
        looked.value += handle
    }

    /** Leaves an array to itself, before it is stopped; devices that it gave back are not its own any more. */
    internal suspend fun unregister(handle: ArrayHandle) {
        if (custody.array(handle.name) !== handle) return
        changed {
            if (custody.array(handle.name) !== handle) return@changed
            manager.unregister(handle.name)
            left(handle)
        }
    }

    /** Ends everything, within about [bound], and closes shared spares; arrays are left to themselves. */
    internal suspend fun close(bound: Duration) {
        closed = true
        withTimeoutOrNull(bound) { manager.close() }
        for (handle in custody.arrays) left(handle)
        custody.pool.closeAll()
    }

    private fun left(handle: ArrayHandle) {
        settle()
        handle.protection = null
        occurrences.end(handle.name)
        custody.unwatch(handle.name)
        looked.value -= handle
    }

    private fun handle(array: String, what: String): ArrayHandle = custody.array(array) ?: throw KernelError.NotFound(
        "cannot find the array $array to $what",
        if (custody.arrays.isEmpty()) "none is running" else "running are " + custody.arrays.joinToString { it.name },
        "create or assemble it first",
    )

    private suspend fun scrub(array: String, what: String, action: suspend () -> Unit): Unit = changed {
        handle(array, what)
        action()
    }

    private suspend fun changed(action: suspend () -> Unit): Unit = changing.withLock {
        if (closed) throw KernelError.Closed()
        settle()
        try {
            action()
        } catch (e: ArrayException) {
            throw custody.explained(e)
        } finally {
            refresh()
        }
    }

    private fun settle() {
        custody.settle(manager.spares.value.filter { it.dedicatedTo == null }.map { it.id })
    }

    /** One after the other, so that the latest is what is shown. */
    @Synchronized
    private fun refresh() {
        settle()
        val arrays = custody.arrays.sortedBy { it.name }
        shown.value = ProtectionStatus(
            manager.spares.value.map { spare -> spare.toView { custody.address(spare.dedicatedTo, it) } },
            manager.activeRebuilds.value.map { rebuild ->
                val array = arrays.firstOrNull { it.raid.repair.rebuild.value?.id == rebuild.id }?.name
                rebuild.toView(array ?: rebuild.array) { custody.address(array, it) }
            },
            arrays.mapNotNull { it.raid.scrubs.status.value?.toView(it.name) },
            intake.awaited().map { it.toString() },
        )
    }
}
