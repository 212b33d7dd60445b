package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.OpenMember
import dev.arraywright.kernel.machine.Places
import dev.arraywright.kernel.toKernelError
import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.ArrayObserver
import dev.arraywright.raid.array.ArrayState
import dev.arraywright.raid.spare.ScrubMarks
import dev.arraywright.raid.spare.Surroundings
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceHealth
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import java.util.concurrent.ConcurrentHashMap

/**
 * Who has which device open: an array's handle has those that the array uses or used, the pool has the shared spares that
 * no array uses. A shared spare goes to the handle of the array that takes it in, and comes back from there. Thread-safe.
 */
internal class Custody(
    private val members: Members,
    val pool: PoolDevices,
    override val marks: ScrubMarks,
    private val places: Places,
) : Surroundings {
    private val handles = ConcurrentHashMap<String, ArrayHandle>()
    private val watching = ConcurrentHashMap<String, AutoCloseable>()
    private val joining: MutableSet<Pair<String, String>> = ConcurrentHashMap.newKeySet()

    val arrays: Collection<ArrayHandle> get() = handles.values

    fun array(name: String): ArrayHandle? = handles[name]

    /** Spares it takes are its own from now on, with the address they were opened at. */
    fun watch(handle: ArrayHandle) {
        handles[handle.name] = handle
        watching[handle.name] = handle.raid.observe(
            object : ArrayObserver {
                override fun changed(before: ArrayState, after: ArrayState) {
                    if (before.spares != after.spares) adopt(handle, after)
                }
            },
        )
        adopt(handle, handle.raid.state.value)
    }

    fun unwatch(name: String) {
        joining.removeIf { it.first == name }
        watching.remove(name)?.close()
        handles.remove(name)
    }

    private fun adopt(handle: ArrayHandle, state: ArrayState) {
        for (id in state.spares) if (handle.member(id) == null) claim(id, handle)?.let(handle::adopt)
    }

    private fun claim(id: String, by: ArrayHandle): OpenMember? {
        val found = pool.take(id) ?: handles.values.firstNotNullOfOrNull { other ->
            if (other !== by && !other.uses(id)) other.release(id) else null
        }
        return found?.also {
            members.assign(it.address, by.name)
            joining += by.name to id
        }
    }

    /** True once for a shared spare that the array took in. */
    fun joined(array: String, id: String): Boolean = joining.remove(array to id)

    /** Takes back what arrays gave back; [shared] are the ids of the spares that no array has. */
    fun settle(shared: Collection<String>) {
        for (id in shared) {
            if (pool.device(id) != null) continue
            val from = handles.values.firstOrNull { it.member(id) != null && !it.uses(id) } ?: continue
            from.release(id)?.let(pool::put)
        }
    }

    /** The address of a device, also of one that is not open any more; the id itself where nobody knows. */
    fun address(group: String?, id: String): String =
        group?.let { handles[it] }?.addressOf(id) ?: pool.address(id)
            ?: handles.values.firstNotNullOfOrNull { it.addressOf(id) } ?: id

    fun device(id: String): OpenMember? =
        pool.device(id) ?: handles.values.firstNotNullOfOrNull { it.member(id) }

    /** A text with addresses in the place of device ids. */
    fun addressed(text: String): String {
        val known = handles.values.flatMap { it.known.entries } + pool.addresses.mapNotNull { at ->
            pool.at(at)?.let { java.util.AbstractMap.SimpleEntry(it.id, at.toString()) }
        }
        val byLength = known.filter { it.key != it.value }.distinctBy { it.key }.sortedByDescending { it.key.length }
        return byLength.fold(text) { line, (id, address) -> if (address in line) line else line.replace(id, address) }
    }

    override suspend fun reopen(group: String, deviceId: String): AsyncBlockDevice? {
        val handle = handles[group] ?: return null
        val address = handle.known[deviceId]?.let(members::parse) ?: return null
        handle.release(deviceId)?.let { members.close(it) }
        val opened = try {
            OpenMember(address, members.open(address, group))
        } catch (e: CancellationException) {
            throw e
        } catch (_: KernelError) {
            // Not back yet; it is looked for again.
            return null
        }
        // Another device at the same place is not the one that was away.
        if (opened.id != deviceId) {
            members.close(opened)
            return null
        }
        handle.adopt(opened)
        return opened.device
    }

    override suspend fun close(device: AsyncBlockDevice) {
        val id = device.info().id()
        val holder = handles.values.firstOrNull { it.member(id)?.device === device }
        val member = when {
            holder != null -> holder.release(id)
            pool.device(id)?.device === device -> pool.take(id)
            else -> null
        }
        if (member != null) members.close(member) else withContext(NonCancellable + Dispatchers.IO) { device.close() }
    }

    override fun health(deviceId: String): String? {
        val member = device(deviceId) ?: return null
        val own = member.device.health().takeIf { it.status() == DeviceHealth.Status.WARNING }
        return own?.detail()?.ifEmpty { "its own health check warns" } ?: places.warning(member.address)
    }

    override fun medium(deviceId: String): String = device(deviceId)?.let { places.medium(it.address) } ?: deviceId

    fun parse(address: String): StorageAddress = members.parse(address)
}

/** The engine's refusal, with addresses in the place of device ids. */
internal fun Custody.explained(e: ArrayException): KernelError {
    val error = e.toKernelError()
    return error.retold(addressed(error.what), addressed(error.why), addressed(error.remedy))
}
