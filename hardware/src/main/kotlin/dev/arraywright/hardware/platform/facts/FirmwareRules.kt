package dev.arraywright.hardware.platform.facts

import dev.arraywright.hardware.platform.Evidence
import dev.arraywright.hardware.platform.HypervisorKind
import dev.arraywright.hardware.platform.HypervisorKind.BARE_METAL
import dev.arraywright.hardware.platform.HypervisorKind.FIRECRACKER
import dev.arraywright.hardware.platform.HypervisorKind.HYPER_V
import dev.arraywright.hardware.platform.HypervisorKind.KVM
import dev.arraywright.hardware.platform.HypervisorKind.OTHER
import dev.arraywright.hardware.platform.HypervisorKind.QEMU
import dev.arraywright.hardware.platform.HypervisorKind.VIRTUALBOX
import dev.arraywright.hardware.platform.HypervisorKind.VMWARE
import dev.arraywright.hardware.platform.HypervisorKind.XEN

/** What DMI, ACPI and the device tree say of the machine's maker; see [HypervisorRules] for the weights. */
internal object FirmwareRules {
    private val MAKERS = listOf("sys_vendor", "product_name", "board_vendor", "bios_vendor")

    /** What a text of DMI begins with. QEMU's machine may be accelerated by KVM, which then says so itself. */
    private val DMI =
        listOf(
            Triple("VirtualBox", VIRTUALBOX, 100),
            Triple("innotek GmbH", VIRTUALBOX, 95),
            Triple("VMware", VMWARE, 65),
            Triple("VMW", VMWARE, 50),
            Triple("Xen", XEN, 60),
            Triple("KVM", KVM, 60),
            Triple("RHEV", KVM, 60),
            Triple("oVirt", KVM, 60),
            Triple("OpenStack", KVM, 50),
            Triple("Google Compute Engine", KVM, 50),
            Triple("DigitalOcean", KVM, 50),
            Triple("Alibaba Cloud ECS", KVM, 50),
            Triple("QEMU", QEMU, 45),
            Triple("Bochs", QEMU, 40),
            Triple("SeaBIOS", QEMU, 40),
            Triple("Parallels", OTHER, 65),
            Triple("BHYVE", OTHER, 65),
            Triple("Apple Virtualization", OTHER, 65),
            Triple("Cloud Hypervisor", OTHER, 92),
        )

    /** What the OEM id and the OEM table id of an ACPI table begin with. */
    private val ACPI =
        listOf(
            Triple("FIRECK", FIRECRACKER, 100),
            Triple("VBOX", VIRTUALBOX, 95),
            Triple("VRTUAL", HYPER_V, 60),
            Triple("MSFTVM", HYPER_V, 60),
            Triple("VMWARE", VMWARE, 60),
            Triple("Xen", XEN, 60),
            Triple("BOCHS", QEMU, 40),
            Triple("CLOUDH", OTHER, 92),
        )

    private val NODES = mapOf("linux,kvm" to KVM, "vmware" to VMWARE, "xen" to XEN, "microsoft,hyperv" to HYPER_V)

    fun of(facts: PlatformFacts): List<Evidence<HypervisorKind>> = dmi(facts) + acpi(facts) + deviceTree(facts)

    private fun dmi(facts: PlatformFacts) = buildList {
        val virtual = MAKERS.mapNotNull { name -> facts.dmi[name]?.let { judged(name, it, facts) } }
        addAll(virtual)
        val maker = facts.dmi["sys_vendor"]
        if (virtual.isEmpty() && maker != null) {
            val machine = listOfNotNull(maker, facts.dmi["product_name"]).joinToString(" ")
            add("$DIRECTORY/sys_vendor", "\"$machine\" is not known as a virtual machine's", BARE_METAL, 10)
        }
    }

    private fun judged(name: String, value: String, facts: PlatformFacts): Evidence<HypervisorKind>? {
        val source = "$DIRECTORY/$name"
        val product = facts.dmi["product_name"].orEmpty()
        if (name == "sys_vendor" && value == "Microsoft Corporation")
            return if (product == "Virtual Machine") Evidence(source, "\"$value $product\"", HYPER_V, 65) else null
        if (name == "sys_vendor" && value == "Amazon EC2")
            return if (product.endsWith(".metal") || ".metal-" in product)
                Evidence(source, "\"$value $product\" is a whole machine", BARE_METAL, 55)
            else
                Evidence(source, "\"$value $product\" runs on Nitro, a KVM", KVM, 50)
        val (_, kind, weight) = DMI.firstOrNull { value.startsWith(it.first) } ?: return null
        // Elsewhere than on x86, KVM has no CPUID to say so.
        return if (kind == QEMU && facts.architecture !in HypervisorRules.X86)
            Evidence(source, "\"$value\"; whether KVM accelerates it does not show", QEMU, 35)
        else
            Evidence(source, "\"$value\"", kind, weight)
    }

    private fun acpi(facts: PlatformFacts) = buildList {
        for ((table, oem) in facts.acpi) {
            val (_, kind, weight) = ACPI.firstOrNull { oem.startsWith(it.first) } ?: continue
            add("/sys/firmware/acpi/tables/$table", "made by \"$oem\"", kind, weight)
        }
    }

    private fun deviceTree(facts: PlatformFacts) = buildList {
        for (each in facts.hypervisorNode) {
            val kind = NODES.entries.firstOrNull { each.startsWith(it.key) }?.value ?: OTHER
            add("/proc/device-tree/hypervisor/compatible", "is \"$each\"", kind, 80)
        }
        for (each in facts.deviceTree) {
            if (each == "linux,dummy-virt")
                add(TREE, "\"$each\" is a machine without a board, of QEMU's, Firecracker's or another's", OTHER, 30)
            else if (each.startsWith("qemu,"))
                add(TREE, "is \"$each\"", QEMU, 35)
        }
        if (facts.deviceTree.isNotEmpty() && facts.dmi.isEmpty() && facts.hypervisorNode.isEmpty())
            add(TREE, "\"${facts.deviceTree.first()}\" is a board, and no hypervisor is named", BARE_METAL, 10)
    }

    private const val DIRECTORY = "/sys/class/dmi/id"
    private const val TREE = "/proc/device-tree"
}
