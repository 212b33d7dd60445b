package dev.arraywright.raid.array

import dev.arraywright.spi.device.AsyncBlockDevice

/** Who comes and goes at an operator's wish. */
internal class Rostering(private val runtime: ArrayRuntime, private val array: RaidArray) {
    private val supervisor get() = array.supervisor

    suspend fun fail(deviceId: String, cause: String) {
        supervisor.change {
            val beside = view.state.slots.firstOrNull { it.replacement?.deviceId == deviceId }
            if (beside != null) return@change failNow(view.replacements[beside.slot]!!, cause, readable = true)
            val slot = view.state.slots.firstOrNull { it.deviceId == deviceId && it.member.takesWrites }
                ?: throw notThere(deviceId, "fail")
            val next = view.state.on(ArrayEvent.MemberFailed(slot.slot, cause, readable = true))
            if (next.failure != null) {
                throw ArrayException.WrongState(
                    "cannot fail $deviceId",
                    "the array ${array.name} would lose data: ${next.failure}",
                    "add a replacement and let it rebuild first, or stop the array",
                )
            }
            failNow(view.members[slot.slot]!!, cause, readable = true)
        }
    }

    suspend fun remove(deviceId: String): AsyncBlockDevice = supervisor.change {
        release(deviceId)?.device ?: throw when {
            has(deviceId) -> ArrayException.WrongState(
                "cannot remove $deviceId",
                "it is in use by the array ${array.name}",
                "fail it first",
            )
            else -> notThere(deviceId, "remove")
        }
    }

    suspend fun add(device: AsyncBlockDevice, force: Boolean) {
        val id = device.info().id()
        val examination = Examination(runtime)
        refuse(id, supervisor.change { has(id) }, "it is in the array ${array.name} already", "remove it first")
        if (!array.geometry.level().redundant()) {
            throw ArrayException.WrongState(
                "cannot add $id",
                "raid0 has nothing to rebuild from",
                "make a redundant array",
            )
        }
        examination.requireFit(device, array.blockSize)
        if (!force) examination.requireBlank(device, array.uuid)
        supervisor.change { seat(device) }
    }

    private suspend fun ArraySupervisor.seat(device: AsyncBlockDevice) {
        val id = device.info().id()
        val now = view.state
        refuse(id, has(id), "it is in the array ${array.name} already", "remove it first")
        refuse(
            id,
            now.failure != null,
            "the array has failed: ${now.failure}",
            "stop it and assemble it from its members",
        )
        val template = template()
        val needed = template.dataOffset() + array.geometry.componentSize()
        if (device.info().size() < needed) {
            throw ArrayException.UnfitDevice(
                "cannot add $id",
                "it has ${device.info().size()} bytes, and a member of ${array.name} needs $needed",
                "take a device at least that large",
            )
        }
        val member = runtime.member(device, template.dataOffset(), array.observers)
        val seat = admit(member) { before, number -> before.withDevice(number, runtime.randomUuid()) }
        refuse(id, seat == null, "every device number of the array is in use", "remove failed members and spares")
        record(ArrayEvent.SpareAdded(id))
        if (!has(id)) {
            throw ArrayException.DeviceFailed(
                "cannot add $id",
                "its superblock could not be written",
                "check the device",
                null,
            )
        }
        held.clear()
        promote()
    }

    /** A spare of the array takes an empty slot. */
    suspend fun rebuild(slot: Int, spareId: String) {
        supervisor.change {
            val seat = spare(spareId, "rebuild onto $spareId")
            val now = state.value.slots.getOrNull(slot)
            val why = when {
                now == null -> "${array.name} has no slot $slot"
                now.member.takesWrites -> "slot $slot has a working member, ${now.deviceId}"
                else -> null
            }
            if (why != null) throw ArrayException.WrongState("cannot rebuild onto $spareId", why, "name an empty slot")
            held -= slot
            if (!seat(slot, seat)) throw unwritable(spareId)
        }
    }

    /** A spare of the array is filled beside a member and takes its place then. */
    suspend fun replace(deviceId: String, spareId: String, cause: String) {
        supervisor.change {
            val seat = spare(spareId, "replace $deviceId")
            val slot = state.value.slots.firstOrNull { it.deviceId == deviceId }
                ?: throw notThere(deviceId, "replace")
            val why = when {
                slot.member != MemberState.InSync -> "it is not in sync"
                slot.replacement != null -> "${slot.replacement.deviceId} is replacing it already"
                else -> null
            }
            if (why != null)
                throw ArrayException.WrongState(
                    "cannot replace $deviceId",
                    why,
                    "rebuild its slot instead",
                )
            reasons[slot.slot] = cause
            if (!seatBeside(slot.slot, seat)) throw unwritable(spareId)
        }
    }

    private fun ArraySupervisor.spare(id: String, what: String): Seat {
        val now = state.value
        refuse(id, now.failure != null, "the array has failed: ${now.failure}", "stop it and assemble it anew")
        return roster.spare(id) ?: throw ArrayException.WrongState(
            "cannot $what",
            "it is no spare of ${array.name}",
            "add it first; spares are ${now.spares}",
        )
    }

    private fun unwritable(id: String) =
        ArrayException.DeviceFailed("cannot use $id", "its superblock could not be written", "check the device", null)

    private fun refuse(id: String, condition: Boolean, why: String, remedy: String) {
        if (condition) throw ArrayException.WrongState("cannot add $id", why, remedy)
    }

    private fun notThere(deviceId: String, verb: String) = ArrayException.WrongState(
        "cannot $verb $deviceId",
        "it is no working member of ${array.name}",
        "name one of ${array.state.value.slots.mapNotNull { it.deviceId } + array.state.value.spares}",
    )
}
