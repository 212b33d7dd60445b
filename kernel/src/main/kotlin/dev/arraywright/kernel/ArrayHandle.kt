package dev.arraywright.kernel

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.getAndUpdate
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.merge
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import java.nio.ByteBuffer
import java.util.Collections
import java.util.UUID
import java.util.concurrent.ConcurrentHashMap

/**
 * A running array. Every function may be called from any coroutine, any number at once; reads and writes take any
 * offset and length in bytes, leave the buffer's position alone, and fail with a `DeviceIoException`; everything else
 * fails with a [KernelError].
 */
public class ArrayHandle internal constructor(
    public val name: String,
    internal val raid: RaidArray,
    private val members: Members,
    opened: List<OpenMember>,
) {
    private val mutex = Mutex()
    private val opened = MutableStateFlow(opened.filter { it.isUsedBy(raid) }.associateBy { it.id })
    private val addresses = ConcurrentHashMap(opened.associate { it.id to it.address.toString() })

    /** Addresses of the devices that were removed last. */
    private val former = Collections.synchronizedMap(
        object : LinkedHashMap<String, String>() {
            override fun removeEldestEntry(eldest: Map.Entry<String, String>) = size > FORMER
        },
    )
    private val shown = MutableStateFlow(snapshot())
    private val exported by lazy(raid::asDevice)

    public val uuid: UUID get() = raid.uuid

    /** Devices that were offered at assembly and not used, by address, and why; they are closed. */
    public val leftOut: Map<String, String> = raid.report.leftOut.associate { left ->
        (addresses[left.deviceId] ?: left.deviceId) to left.why
    }

    /** Bytes. */
    public val size: Long get() = raid.size

    /** How the array is now; a late collector sees the present state first. */
    public val status: StateFlow<ArrayStatus> = shown.asStateFlow()

    /** Fills [target]'s remaining bytes from [offset]. */
    public suspend fun read(target: ByteBuffer, offset: Long): Unit = raid.read(target, offset)

    /** Writes [source]'s remaining bytes at [offset]. */
    public suspend fun write(source: ByteBuffer, offset: Long): Unit = raid.write(source, offset)

    /** Returns once every write that had returned before is on stable storage of enough members. */
    public suspend fun flush(): Unit = raid.flush()

    /** The range is no longer needed; what it reads as afterwards is undefined until written. */
    public suspend fun discard(offset: Long, length: Long): Unit = raid.discard(offset, length)

    /** Makes the range read as zeroes. */
    public suspend fun writeZeroes(offset: Long, length: Long): Unit = raid.writeZeroes(offset, length)

    /** The array as a device: to export, or to be a member of another. Closing it does nothing to the array. */
    public fun device(): AsyncBlockDevice = exported

    /** Suspends until no resync and no rebuild is running. */
    public suspend fun awaitIdle() {
        status.first { it.activity == null }
    }

    /** Takes a member out of service; [member] is its address or the number of its slot. */
    public suspend fun fail(member: String): Unit = mutex.withLock {
        val id = idOf(member, "fail")
        refusing { raid.fail(id) }
    }

    /** Lets go of a member that failed or was replaced, or of a spare, and closes it. */
    public suspend fun remove(member: String): Unit = mutex.withLock {
        val id = idOf(member, "remove")
        val device = refusing { raid.remove(id) }
        release(id)?.let { members.close(it) } ?: withContext(NonCancellable + Dispatchers.IO) { device.close() }
        // The event that it is gone comes later, and names it.
        addresses.remove(id)?.let { former[id] = it }
        refresh()
    }

    /** Takes a device in, which loses what is on it: onto an empty slot, which is rebuilt, or as a spare. */
    public suspend fun add(member: String): Unit = mutex.withLock {
        val id = taken(members.parse(member)) { raid.add(it) }
        fill(id)
    }

    /**
     * Takes a member back that was away, into the slot that it left. True if only what the write-intent bitmap says it
     * missed is brought up to date, false if all of it is. Refused where its place is taken by now.
     */
    public suspend fun readd(member: String): Boolean = mutex.withLock {
        val address = members.parse(member)
        // The handle from before it went away, if it is still there, holds the claim.
        val old = idAt(member)?.takeIf { id -> raid.state.value.out.any { it.deviceId == id } }?.let(::release)
        old?.let { members.close(it) }
        var byBitmap = false
        taken(address) { byBitmap = raid.readd(it) }
        byBitmap
    }

    /** As [add], but it stays a spare until somebody decides otherwise. */
    internal suspend fun addSpare(address: StorageAddress): Unit = mutex.withLock { taken(address) { raid.add(it) } }

    private suspend fun taken(address: StorageAddress, action: suspend (AsyncBlockDevice) -> Unit): String {
        val open = OpenMember(address, members.open(address, name))
        // Known before it is a member, so that nobody sees the member without its address.
        adopt(open)
        try {
            refusing { action(open.device) }
        } catch (e: Throwable) {
            release(open.id)
            members.close(open)
            throw e
        }
        refresh()
        return open.id
    }

    /** Sees to it that a device which was added takes an empty slot, unless whoever looks after the array was faster. */
    private suspend fun fill(id: String) {
        // Whoever was faster, the status tells of it when this returns: it is what a caller waits by.
        val empty = raid.state.value.slots.firstOrNull { !it.member.takesWrites } ?: return refresh()
        try {
            protection?.fill(name, empty.slot, id) ?: raid.rebuild(empty.slot, id)
        } catch (e: ArrayException) {
            if (id in raid.state.value.spares && raid.state.value.slots.any { !it.member.takesWrites }) {
                throw e.toKernelError()
            }
        } finally {
            refresh()
        }
    }

    /** Who looks after the array; null while nobody does. */
    @Volatile
    internal var protection: Filling? = null

    /** Addresses by device id, also of members that are away. */
    internal val known: Map<String, String> get() = addresses

    /** Also of one that was removed. */
    internal fun addressOf(id: String): String? = addresses[id] ?: former[id]

    internal fun member(id: String): OpenMember? = opened.value[id]

    /** True if the array has the device as member, replacement or spare, or did not let go of it yet. */
    internal fun uses(id: String): Boolean = raid.state.value.uses(id)

    /** The device is this array's to close from now on. */
    internal fun adopt(member: OpenMember) {
        addresses[member.id] = member.address.toString()
        opened.update { it + (member.id to member) }
    }

    /** The device is not this array's to close any more. */
    internal fun release(id: String): OpenMember? = opened.getAndUpdate { it - id }[id]

    /** The device that is or was [member], an address or the number of a slot. */
    internal fun idOf(member: String, verb: String): String {
        val slots = raid.state.value.slots
        val number = member.toIntOrNull()
        val id = if (number == null) idAt(member) else slots.firstOrNull { it.slot == number }?.deviceId
        return id ?: throw KernelError.NotFound(
            "cannot $verb $member",
            "$name has no such member; it has " + addresses.filterKeys(::uses).values.sorted().joinToString(),
            "name a member by its address or the number of its slot",
        )
    }

    internal fun changes(): Flow<*> = merge(
        raid.state,
        raid.repair.rebuild.map { now -> now?.let { Triple(it.id, it.phase, (it.progress.fraction * 100).toInt()) } }
            .distinctUntilChanged(),
    )

    /** Looking and showing are one step, so that an older state never takes the place of a newer one. */
    internal fun refresh() {
        synchronized(shown) { shown.value = snapshot() }
    }

    /** Marks the array clean and closes its members. */
    internal suspend fun stop(): Unit = mutex.withLock {
        try {
            refusing { raid.stop() }
        } finally {
            members.closeAll(opened.value.values)
            opened.value = emptyMap()
            refresh()
        }
    }

    private fun idAt(member: String): String? {
        val address = members.parse(member).toString()
        val ids = addresses.filterValues { it == address }.keys
        return ids.firstOrNull(::uses) ?: ids.firstOrNull { it in opened.value }
    }

    private suspend inline fun <T> refusing(crossinline action: suspend () -> T): T =
        try {
            action()
        } catch (e: ArrayException) {
            throw e.toKernelError()
        } finally {
            refresh()
        }

    private fun snapshot(): ArrayStatus = statusOf(name, raid) { addresses[it] }

    private companion object {
        const val FORMER = 64
    }
}

/** Has a spare take an empty slot, in turn with what is decided for the array anyway. */
internal fun interface Filling {
    suspend fun fill(array: String, slot: Int, spareId: String)
}

internal fun ArrayState.uses(id: String): Boolean =
    id in spares || out.any { it.deviceId == id } || slots.any { it.deviceId == id || it.replacement?.deviceId == id }

internal fun OpenMember.isUsedBy(raid: RaidArray): Boolean = raid.report.leftOut.none {
    it.deviceId == device.info().id()
}

internal fun ArrayException.toKernelError(): KernelError = when (this) {
    is ArrayException.InUse -> KernelError.InUse(what, why, remedy, this)
    is ArrayException.BadGeometry -> KernelError.InvalidRequest(what, why, remedy, this)
    is ArrayException.UnfitDevice, is ArrayException.DeviceFailed -> KernelError.DeviceUnusable(what, why, remedy, this)
    is ArrayException.NoSuperblock -> KernelError.NotFound(what, why, remedy, this)
    is ArrayException.NotEnoughMembers, is ArrayException.DirtyAndDegraded, is ArrayException.Unsupported,
    is ArrayException.WrongState,
    -> KernelError.ArrayRefuses(what, why, remedy, this)
}
