package dev.arraywright.kernel.spare

import dev.arraywright.kernel.ArrayHandle
import dev.arraywright.kernel.KernelError
import dev.arraywright.kernel.Members
import dev.arraywright.kernel.OpenMember
import dev.arraywright.raid.array.ArrayException
import dev.arraywright.raid.array.Arrays
import dev.arraywright.raid.spare.HotSpareManager
import dev.arraywright.raid.spare.SpareDevice
import dev.arraywright.spi.device.StorageAddress

/** Where spares come in and go out. A device that is refused is closed again; only an open one is a spare. */
internal class SpareDesk(
    private val engine: Arrays,
    private val members: Members,
    private val custody: Custody,
    private val manager: HotSpareManager,
) {
    private val pool = custody.pool

    fun pooled(): List<StorageAddress> = pool.addresses

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
