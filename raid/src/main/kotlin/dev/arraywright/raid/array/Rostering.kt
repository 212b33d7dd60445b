package dev.arraywright.raid.array

import dev.arraywright.spi.device.AsyncBlockDevice

/** Who comes and goes at an operator's wish. */
internal class Rostering(private val runtime: ArrayRuntime, private val array: RaidArray) {
    private val supervisor get() = array.supervisor

    suspend fun fail(deviceId: String) {
        supervisor.change {
            val slot = view.state.slots.firstOrNull { it.deviceId == deviceId && it.member.takesWrites }
                ?: throw notThere(deviceId, "fail")
            val next = view.state.on(ArrayEvent.MemberFailed(slot.slot, OPERATOR, readable = true))
            if (next.failure != null) {
                throw ArrayException.WrongState(
                    "cannot fail $deviceId",
                    "the array ${array.name} would lose data: ${next.failure}",
                    "add a replacement and let it rebuild first, or stop the array",
                )
            }
            failNow(view.members[slot.slot]!!, OPERATOR, readable = true)
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
        val member = runtime.member(device, template.dataOffset())
        val seated = admit(member) { before, number -> before.withDevice(number, runtime.randomUuid()) }
        refuse(id, !seated, "every device number of the array is in use", "remove failed members and spares")
        record(ArrayEvent.SpareAdded(id))
        if (!has(id)) {
            throw ArrayException.DeviceFailed(
                "cannot add $id",
                "its superblock could not be written",
                "check the device",
                null,
            )
        }
        promote()
    }

    private fun refuse(id: String, condition: Boolean, why: String, remedy: String) {
        if (condition) throw ArrayException.WrongState("cannot add $id", why, remedy)
    }

    private fun notThere(deviceId: String, verb: String) = ArrayException.WrongState(
        "cannot $verb $deviceId",
        "it is no working member of ${array.name}",
        "name one of ${array.state.value.slots.mapNotNull { it.deviceId } + array.state.value.spares}",
    )

    private companion object {
        const val OPERATOR = "failed by the operator"
    }
}
