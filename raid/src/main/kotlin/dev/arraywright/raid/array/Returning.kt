package dev.arraywright.raid.array

import dev.arraywright.raid.metadata.Superblock
import dev.arraywright.raid.metadata.SuperblockException
import dev.arraywright.spi.device.AsyncBlockDevice
import dev.arraywright.spi.device.DeviceIoException

/** Members that come back. */
internal class Returning(private val runtime: ArrayRuntime, private val array: RaidArray) {
    private val supervisor get() = array.supervisor

    /** See [RaidArray.readd]. */
    suspend fun readd(device: AsyncBlockDevice): Boolean {
        val id = device.info().id()
        val examination = Examination(runtime)
        examination.requireFit(device, array.blockSize)
        val found = try {
            examination.superblock(device)
        } catch (e: SuperblockException) {
            throw refusal(id, e.message.orEmpty())
        } catch (e: DeviceIoException) {
            throw ArrayException.DeviceFailed("cannot re-add $id", e.message.orEmpty(), "check the device", e)
        }
        return supervisor.change { seat(device, found) }
    }

    private suspend fun ArraySupervisor.seat(device: AsyncBlockDevice, found: Superblock): Boolean {
        val id = device.info().id()
        val slot = place(id, found)
        val needed = found.dataOffset() + geometry.componentSize()
        if (device.info().size() < needed) throw refusal(id, "it has ${device.info().size()} bytes, fewer than $needed")
        val byBitmap = intent?.let { found.events() >= it.eventsCleared } ?: false
        if (!byBitmap && found.recoveryByBitmap()) throw refusal(id, "it was not whole when it went away")
        val member = runtime.member(device, found.dataOffset(), array.observers)
        val intentMoved = intent != null && found.bitmapOffset() != template().bitmapOffset()
        if (intentMoved) throw refusal(id, "its write-intent bitmap lies elsewhere than the others'")
        if (!seatAgain(slot, Seat(member, found.devNumber(), found), byBitmap)) {
            val cause = "the array could not be recorded on it"
            throw ArrayException.DeviceFailed("cannot re-add $id", cause, "check the device", null)
        }
        return byBitmap
    }

    /** The slot that the device left, if it is still free. */
    private fun ArraySupervisor.place(id: String, found: Superblock): Int {
        val now = state.value
        val template = template()
        val slot = found.role()
        val recorded = template.role(found.devNumber())
        val why = when {
            now.failure != null -> "the array has failed: ${now.failure}"
            found.setUuid() != array.uuid -> "it belongs to the array ${found.name()}"
            has(id) && roster.out.none { it.member.id == id } -> "it is in the array already"
            slot >= now.slots.size -> "it is no member that was away but a spare"
            found.isReplacement || (found.recoveryOffset() != Superblock.IN_SYNC && !found.recoveryByBitmap()) ->
                "it was not whole when it went away"
            roster.present.any { it.number == found.devNumber() } -> "its number is taken by another"
            now.slots[slot].member.takesWrites -> "slot $slot has ${now.slots[slot].deviceId} by now"
            recorded != slot && recorded !in GONE && found.devNumber() !in roster.retired ->
                "it is recorded in another place than it says itself"
            found.events() > now.events -> "it is newer than the array: event count ${found.events()} of ${now.events}"
            else -> return slot
        }
        throw refusal(id, why)
    }

    private fun refusal(id: String, why: String) = ArrayException.WrongState(
        "cannot re-add $id to ${array.name}",
        why,
        "add it as a new device, which loses what is on it",
    )

    private companion object {
        /** How md records who failed: as faulty, and once it is removed like a number that was never used. */
        val GONE = setOf(Superblock.FAULTY, Superblock.SPARE)
    }
}
