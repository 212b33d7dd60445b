package dev.arraywright.hardware.platform.facts

import dev.arraywright.hardware.linux.Cpuid
import dev.arraywright.hardware.linux.CpuidLeaf
import dev.arraywright.hardware.tree.SystemTree
import java.nio.file.Path

/**
 * Collects [PlatformFacts] from the files below [root], and from [cpuid] where it is reached. Never fails: what cannot
 * be read is absent, and where that matters [PlatformFacts.unread] says why.
 */
internal class PlatformReader(
    root: Path,
    private val cpuid: Cpuid?,
    private val cpuidAbsence: String?,
    environment: Map<String, String>,
) {
    private val sys = SystemTree(root.resolve("sys"))
    private val proc = SystemTree(root.resolve("proc"))
    private val containers = ContainerReader(SystemTree(root), proc, environment)

    fun read(): PlatformFacts {
        val cpu = proc.text("cpuinfo")?.let(CpuInfoParser::parse)
        val release = proc.text("sys/kernel/osrelease")
        return PlatformFacts(
            architecture = architecture(cpu),
            cpuid = cpuid?.let(::cpuid),
            cpu = cpu,
            dmi = DMI.mapNotNull { name -> sys.text("class/dmi/id/$name")?.let { name to it } }.toMap(),
            acpi = TABLES.mapNotNull { name -> oem(name)?.let { name to it } }.toMap(),
            hypervisorNode = proc.bytes("device-tree/hypervisor/compatible")?.strings().orEmpty(),
            deviceTree = TREE.flatMap { proc.bytes("device-tree/$it")?.strings().orEmpty() },
            xen = xen(),
            virtio = sys.names("bus/virtio/devices").associateWith(::bus),
            paravirtual = paravirtual(),
            pci = sys.names("bus/pci/devices").mapNotNullTo(LinkedHashSet(), ::pci),
            clocks = clocks(),
            commandLine = CommandLineParser.parse(proc.text("cmdline").orEmpty()),
            release = release,
            container = containers.read(release),
            unread = unread(),
        )
    }

    /** What the tree shows: a captured tree may be of another architecture than this JVM. */
    private fun architecture(cpu: CpuInfo?): String? =
        when {
            cpu == null || !cpu.hasFlags -> null
            "fpu" in cpu.flags && "tsc" in cpu.flags -> "x86_64"
            "fp" in cpu.flags || "asimd" in cpu.flags -> "aarch64"
            else -> "other"
        }

    private fun cpuid(cpuid: Cpuid): CpuidFacts? {
        val features = cpuid.leaf(1, 0) ?: return null
        // Without the bit, the leaves beyond are whatever the processor says of leaves that it has not got.
        if (features.ecx ushr 31 == 0) return CpuidFacts(hypervisorBit = false)
        val signatures = LinkedHashMap<String, String>()
        for (i in 0 until INTERFACES) {
            val leaf = VENDOR + i * 0x100
            val text = cpuid.leaf(leaf, 0)?.let(::vendor) ?: break
            if (text.isNotBlank()) signatures["0x${leaf.toUInt().toString(16)}"] = text
        }
        val hyperV = signatures.values.any { it == "Microsoft Hv" }
        val privileges = if (hyperV) cpuid.leaf(VENDOR + 3, 0)?.ebx ?: 0 else 0
        return CpuidFacts(true, signatures, privileges and MANAGES != 0 && privileges and ISOLATED == 0)
    }

    private fun vendor(leaf: CpuidLeaf): String =
        buildString {
            for (register in intArrayOf(leaf.ebx, leaf.ecx, leaf.edx)) {
                for (shift in 0..24 step 8) {
                    val char = (register shr shift and 0xff).toChar()
                    if (char in ' '..'~') append(char)
                }
            }
        }

    private fun oem(table: String) = sys.bytes("firmware/acpi/tables/$table")?.let(AcpiHeader::oem)

    private fun xen() =
        XenFacts(
            sys.text("hypervisor/type"),
            sys.text("hypervisor/properties/features")?.removePrefix("0x")?.toLongOrNull(16),
            proc.text("xen/capabilities"),
        )

    private fun bus(device: String): String {
        val path = sys.real("bus/virtio/devices/$device").orEmpty()
        return if (path.startsWith("devices/pci")) "pci" else "mmio"
    }

    private fun paravirtual() = buildMap {
        for (bus in listOf("xen", "vmbus")) {
            for (device in sys.names("bus/$bus/devices")) {
                putIfAbsent(if (bus == "xen") device else "vmbus device $device", "/sys/bus/$bus/devices")
            }
        }
        // A kernel may have a driver built in without the device.
        for (driver in DRIVERS) {
            if (sys.names("bus/pci/drivers/$driver").any { ':' in it })
                put(driver, "/sys/bus/pci/drivers")
        }
    }

    private fun pci(device: String): String? {
        val vendor = sys.text("bus/pci/devices/$device/vendor") ?: return null
        val id = sys.text("bus/pci/devices/$device/device") ?: return null
        return "${vendor.removePrefix("0x")}:${id.removePrefix("0x")}".lowercase()
    }

    private fun clocks() = buildSet {
        val sources = sys.text("devices/system/clocksource/clocksource0/available_clocksource").orEmpty()
        addAll(sources.split(' ').filter(String::isNotEmpty))
        for (clock in sys.names("class/ptp")) sys.text("class/ptp/$clock/clock_name")?.let(::add)
    }

    private fun unread() = buildList {
        if (cpuid == null) add("CPUID: ${cpuidAbsence ?: "not reached"}")
        for (tree in listOf(sys, proc)) tree.why("")?.let(::add)
        if (sys.exists("class/dmi/id/sys_vendor")) sys.why("class/dmi/id/sys_vendor")?.let(::add)
        TABLES.firstOrNull { sys.exists("firmware/acpi/tables/$it") }?.let { sys.why("firmware/acpi/tables/$it") }
            ?.let(::add)
    }

    private companion object {
        const val VENDOR = 0x40000000

        /** A hypervisor that lends another's interface has its own at the next 0x100. */
        const val INTERFACES = 3

        /** Bits of leaf 0x40000003 EBX: the right to manage processors, and an isolated guest that was granted it. */
        const val MANAGES = 1 shl 12
        const val ISOLATED = 1 shl 22
        val DMI = listOf("sys_vendor", "product_name", "product_version", "board_vendor", "board_name", "bios_vendor")
        val TABLES = listOf("FACP", "APIC", "DSDT")
        val TREE = listOf("compatible", "model")
        val DRIVERS = listOf("vmw_pvscsi", "vmxnet3", "vboxguest")
    }
}
