package dev.arraywright.hardware.discovery

import kotlin.reflect.KProperty1

/** A step from one state of the machine to the next. */
public sealed interface HardwareChange {
    /** The device that came, went, or is now otherwise. */
    public val device: HardwareDevice

    /** It came. */
    public data class Added(override val device: HardwareDevice) : HardwareChange

    /** It went; [device] is what it was. */
    public data class Removed(override val device: HardwareDevice) : HardwareChange

    /** It is the same device, otherwise. [fields] names the differing properties of [HardwareDevice]. */
    public data class Changed(
        /** What it was. */
        val before: HardwareDevice,
        /** What it is. */
        val after: HardwareDevice,
        /** Names of properties, such as `size`. */
        val fields: Set<String>,
    ) : HardwareChange {
        override val device: HardwareDevice get() = after
    }

    public companion object {
        /**
         * The steps from one state to another: what went, holders and children first; what is otherwise; what came,
         * parents and members first. A device in another's place went and came.
         */
        public fun between(
            before: Map<DeviceId, HardwareDevice>,
            after: Map<DeviceId, HardwareDevice>,
        ): List<HardwareChange> {
            val gone = before.values.filter { old -> after[old.id]?.let { !sameDevice(old, it) } ?: true }
            val come = after.values.filter { new -> before[new.id]?.let { !sameDevice(it, new) } ?: true }
            return inOrder(gone, before).asReversed().map { Removed(it) } +
                after.values.mapNotNull { new -> before[new.id]?.let { changed(it, new) } } +
                inOrder(come, after).map { Added(it) }
        }

        private fun changed(before: HardwareDevice, after: HardwareDevice): Changed? =
            if (before === after || before == after || !sameDevice(before, after))
                null
            else
                Changed(
                    before,
                    after,
                    PROPERTIES.filter {
                        it.get(before) != it.get(after)
                    }.mapTo(sortedSetOf()) { it.name },
                )

        private fun sameDevice(before: HardwareDevice, after: HardwareDevice): Boolean =
            before.incarnation == after.incarnation

        /** Each after its parent and its members. */
        private fun inOrder(devices: List<HardwareDevice>, all: Map<DeviceId, HardwareDevice>): List<HardwareDevice> {
            val ordered = LinkedHashSet<HardwareDevice>()
            val wanted = devices.associateBy { it.id }
            val visited = HashSet<DeviceId>()

            fun visit(device: HardwareDevice) {
                if (!visited.add(device.id)) return
                device.parent?.let { all[it] }?.let(::visit)
                for (member in device.members) all[member]?.let(::visit)
                wanted[device.id]?.let(ordered::add)
            }
            devices.sortedBy { it.sysPath }.forEach(::visit)
            return ordered.toList()
        }

        private val PROPERTIES: List<KProperty1<HardwareDevice, Any?>> =
            listOf(
                HardwareDevice::name,
                HardwareDevice::flags,
                HardwareDevice::path,
                HardwareDevice::number,
                HardwareDevice::size,
                HardwareDevice::logicalBlockSize,
                HardwareDevice::physicalBlockSize,
                HardwareDevice::model,
                HardwareDevice::serial,
                HardwareDevice::wwid,
                HardwareDevice::firmware,
                HardwareDevice::transport,
                HardwareDevice::rotational,
                HardwareDevice::removable,
                HardwareDevice::readOnly,
                HardwareDevice::numaNode,
                HardwareDevice::pciAddress,
                HardwareDevice::parent,
                HardwareDevice::children,
                HardwareDevice::members,
                HardwareDevice::holders,
                HardwareDevice::mounts,
                HardwareDevice::inUse,
                HardwareDevice::backingFile,
                HardwareDevice::sysPath,
                HardwareDevice::sequence,
            )
    }
}
