package dev.arraywright.kernel

import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.RaidArray
import dev.arraywright.spi.device.AsyncBlockDevice
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import java.nio.ByteBuffer
import java.util.UUID

/**
 * A running array. Every function may be called from any coroutine, any number at once; reads and writes take any
 * offset
 * and length in bytes, leave the buffer's position alone, and fail with a `DeviceIoException`; everything else fails
 * with a [KernelError].
 */
public class ArrayHandle internal constructor(
    public val name: String,
    internal val raid: RaidArray,
    private val members: Members,
    opened: List<OpenMember>,
) {
    private val mutex = Mutex()
    private val opened = MutableStateFlow(opened.filter { it.isUsedBy(raid) }.associateBy { it.device.info().id() })
    private val shown = MutableStateFlow(snapshot())
    private val exported by lazy(raid::asDevice)

    public val uuid: UUID get() = raid.uuid

    /** Devices that were offered at assembly and not used, by address, and why; they are closed. */
    public val leftOut: Map<String, String> = raid.report.leftOut.associate { left ->
        (
            opened.firstOrNull {
                it.device.info().id() == left.deviceId
            }?.address?.toString() ?: left.deviceId
        ) to left.why
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

    /** Lets go of a failed member or a spare, and closes it. */
    public suspend fun remove(member: String): Unit = mutex.withLock {
        val id = idOf(member, "remove")
        refusing { raid.remove(id) }
        opened.value[id]?.let { members.close(it) }
        opened.value -= id
        refresh()
    }

    /** Takes a device in: onto an empty slot, which is rebuilt, or as a spare. */
    public suspend fun add(member: String): Unit = mutex.withLock {
        val address = members.parse(member)
        val open = OpenMember(address, members.open(address, name))
        val before = opened.value
        // Known before it is a member, so that nobody sees the member without its address.
        opened.value += (open.device.info().id() to open)
        try {
            refusing { raid.add(open.device) }
        } catch (e: Throwable) {
            opened.value = before
            members.close(open)
            throw e
        }
        refresh()
    }

    internal fun changes(): Flow<*> = raid.state

    internal fun refresh() {
        shown.value = snapshot()
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

    private fun idOf(member: String, verb: String): String {
        val slots = raid.state.value.slots
        val id = member.toIntOrNull()?.let { n -> slots.firstOrNull { it.slot == n }?.deviceId }
            ?: if (member.toIntOrNull() == null) idAt(member) else null
        return id ?: throw KernelError.NotFound(
            "cannot $verb $member",
            "$name has no such member; it has " + opened.value.values.joinToString { it.address.toString() },
            "name a member by its address or the number of its slot",
        )
    }

    private fun idAt(member: String): String? {
        val address = members.parse(member)
        return opened.value.entries.firstOrNull { it.value.address == address }?.key
    }

    private suspend inline fun <T> refusing(crossinline action: suspend () -> T): T =
        try {
            action()
        } catch (e: ArrayException) {
            throw e.toKernelError()
        } finally {
            refresh()
        }

    private fun snapshot(): ArrayStatus = raid.state.value.toStatus(name, raid.uuid) {
        opened.value[it]?.address?.toString()
    }
}

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
