package dev.arraywright.hardware.discovery

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
                Changed(before, after, differing(before, after))

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

        /** By hand, since references to properties are classes, to be loaded for the first change of all. */
        private fun differing(a: HardwareDevice, b: HardwareDevice): Set<String> {
            val names = sortedSetOf<String>()
            if (a.name != b.name) names += "name"
            if (a.flags != b.flags) names += "flags"
            if (a.path != b.path) names += "path"
            if (a.number != b.number) names += "number"
            if (a.size != b.size) names += "size"
            if (a.logicalBlockSize != b.logicalBlockSize) names += "logicalBlockSize"
            if (a.physicalBlockSize != b.physicalBlockSize) names += "physicalBlockSize"
            if (a.model != b.model) names += "model"
            if (a.serial != b.serial) names += "serial"
            if (a.wwid != b.wwid) names += "wwid"
            if (a.firmware != b.firmware) names += "firmware"
            if (a.transport != b.transport) names += "transport"
            if (a.rotational != b.rotational) names += "rotational"
            if (a.removable != b.removable) names += "removable"
            if (a.readOnly != b.readOnly) names += "readOnly"
            if (a.numaNode != b.numaNode) names += "numaNode"
            if (a.pciAddress != b.pciAddress) names += "pciAddress"
            if (a.parent != b.parent) names += "parent"
            if (a.children != b.children) names += "children"
            if (a.members != b.members) names += "members"
            if (a.holders != b.holders) names += "holders"
            if (a.mounts != b.mounts) names += "mounts"
            if (a.inUse != b.inUse) names += "inUse"
            if (a.backingFile != b.backingFile) names += "backingFile"
            if (a.sysPath != b.sysPath) names += "sysPath"
            if (a.sequence != b.sequence) names += "sequence"
            return names
        }
    }
}
