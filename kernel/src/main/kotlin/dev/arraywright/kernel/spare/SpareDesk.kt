package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.OpenMember
import dev.arraywright.kernel.event.Occurrence
import dev.arraywright.kernel.event.SpareAwaited
import dev.arraywright.kernel.machine.Places
import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.spare.HotSpareManager
import dev.arraywright.raid.spare.SpareDevice
import dev.arraywright.spi.device.StorageAddress
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.update

/** Where spares come in and go out. A device that is refused is closed again; only an open one is a spare. */
internal class SpareDesk(
    private val engine: Arrays,
    private val members: Members,
    private val custody: Custody,
    private val manager: HotSpareManager,
    private val places: Places,
    private val tell: (Occurrence) -> Unit,
) {
    private val pool = custody.pool

    /** Shared spares that are wanted whenever they are plugged in, and their failure domains. */
    private val wanted = MutableStateFlow<Map<StorageAddress, String?>>(emptyMap())

    /** The shared spares that are here or wanted, and no array's. */
    fun pooled(): List<StorageAddress> = (pool.addresses + awaited()).distinct()

    /** Those that are wanted and not here. */
    fun awaited(): List<StorageAddress> = wanted.value.keys.filter { it.toString() !in members.entries.value }

    /** Into the shared pool, as soon as it is there and again whenever it comes back; true if it is there now. */
    suspend fun await(text: String, domain: String?): Boolean {
        val address = members.parse(text)
        wanted.update { it + (address to domain) }
        return try {
            share(text, domain)
            true
        } catch (absent: KernelError.NotFound) {
            if (!places.watches(address)) {
                wanted.update { it - address }
                throw absent
            }
            tell(SpareAwaited(Occurrence.KERNEL, address.toString(), absent.why))
            false
        } catch (e: Throwable) {
            wanted.update { it - address }
            throw e
        }
    }

    /** What is plugged in may be a spare that is wanted. */
    suspend fun arrived(address: StorageAddress) {
        if (address !in awaited()) return
        try {
            share(address.toString(), wanted.value[address])
        } catch (_: KernelError.NotFound) {
            // Gone again.
        }
    }

    /** Into the shared pool. */
    suspend fun share(text: String, domain: String?) {
        val address = members.parse(text)
        requireFree(address)
        manager.start()
        val opened = OpenMember(address, members.open(address, null))
        var spare = false
        try {
            requireNobodys(opened)
            requireLarge(opened)
            // Known before it is a spare, so that nobody sees the spare without its address.
            pool.put(opened)
            manager.registerSpare(SpareDevice(opened.device, domain))
            spare = true
        } catch (e: ArrayException) {
            throw custody.explained(e)
        } finally {
            if (!spare) {
                pool.take(opened.id)
                members.close(opened)
            }
        }
    }

    /** Into an array's own. */
    suspend fun dedicate(text: String, array: ArrayHandle, domain: String?) {
        val address = members.parse(text)
        requireFree(address)
        array.addSpare(address)
        if (domain != null) array.member(array.idOf(text, "find"))?.let { manager.domain(array.name, it.id, domain) }
    }

    suspend fun remove(text: String) {
        val address = members.parse(text)
        val awaited = address in awaited()
        wanted.update { it - address }
        if (awaited) return
        val pooled = pool.at(address)
        if (pooled != null) {
            // The event that it is gone names its address, which the pool knows.
            manager.unregisterSpare(pooled.id)
            pool.take(pooled.id)
            members.close(pooled)
            return
        }
        val array = custody.arrays.firstOrNull { array ->
            array.raid.state.value.spares.any { array.addressOf(it) == address.toString() }
        }
        if (array != null) return array.remove(address.toString())
        val user = members.entries.value[address.toString()]?.array
        if (user != null) {
            throw KernelError.InUse(
                "cannot remove the spare $address",
                "it is a member of $user by now",
                "fail it there first, then remove it from the array",
            )
        }
        val spares = manager.spares.value.map { custody.address(it.dedicatedTo, it.id) }
        throw KernelError.NotFound(
            "cannot remove the spare $address",
            "it is none; spares are ${spares.joinToString()}",
            "name one of them",
        )
    }

    /** The device id of a spare. */
    fun id(text: String, what: String): String {
        val address = members.parse(text)
        pool.at(address)?.let { return it.id }
        val found = custody.arrays.firstNotNullOfOrNull { array ->
            array.known.entries.firstOrNull { it.value == address.toString() && array.uses(it.key) }?.key
        }
        return found ?: throw KernelError.NotFound(
            "cannot $what",
            "no such device is a spare",
            "add it as a spare first",
        )
    }

    private fun requireFree(address: StorageAddress) {
        val entry = members.entries.value[address.toString()] ?: return
        val pooled = pool.at(address) != null
        val user = entry.array
        throw KernelError.InUse(
            "cannot take $address as a spare",
            when {
                pooled -> "it is a spare already"
                user != null -> "it is in use by the array $user"
                else -> "it is being looked at"
            },
            if (pooled) "nothing is to be done" else "take another device",
        )
    }

    /** What a running array left on it is of no more use; anything else that can be recognised may be. */
    private suspend fun requireNobodys(member: OpenMember) {
        val superblock = try {
            engine.examine(member.device)
        } catch (_: ArrayException.NoSuperblock) {
            null
        }
        val uuid = superblock?.setUuid()
        if (superblock != null && custody.arrays.none { it.uuid == uuid }) {
            throw KernelError.InUse(
                "cannot take ${member.address} as a spare",
                "it is a member of the array ${superblock.name()}, which does not run here",
                "take another device, or erase its superblock if that array is not needed",
            )
        }
        try {
            engine.requireBlank(member.device, uuid)
        } catch (e: ArrayException.InUse) {
            val remedy = "take another device, or erase this one (wipefs) if its content is not needed"
            throw KernelError.InUse("cannot take ${member.address} as a spare", e.why, remedy, e)
        }
    }

    /** One that is too small for every array is no spare for any. */
    private fun requireLarge(member: OpenMember) {
        val size = member.device.info().size()
        val redundant = custody.arrays.filter { it.raid.geometry.level().redundant() }
        val least = redundant.minByOrNull { it.raid.memberBytes } ?: return
        if (size >= least.raid.memberBytes) return
        throw KernelError.DeviceUnusable(
            "cannot take ${member.address} as a spare",
            "it has $size bytes, and a member of ${least.name} needs ${least.raid.memberBytes}",
            "take a device at least that large",
        )
    }
}
