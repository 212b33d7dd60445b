package dev.arraywright.hardware.platform.facts

import dev.arraywright.hardware.platform.Confidence
import dev.arraywright.hardware.platform.Evidence
import dev.arraywright.hardware.platform.HypervisorKind
import dev.arraywright.hardware.platform.HypervisorKind.BARE_METAL
import dev.arraywright.hardware.platform.HypervisorKind.FIRECRACKER
import dev.arraywright.hardware.platform.HypervisorKind.HYPER_V
import dev.arraywright.hardware.platform.HypervisorKind.KVM
import dev.arraywright.hardware.platform.HypervisorKind.OTHER
import dev.arraywright.hardware.platform.HypervisorKind.QEMU
import dev.arraywright.hardware.platform.HypervisorKind.UNKNOWN
import dev.arraywright.hardware.platform.HypervisorKind.VIRTUALBOX
import dev.arraywright.hardware.platform.HypervisorKind.XEN
import dev.arraywright.hardware.platform.Verdict

/**
 * From facts to the hypervisor. Each rule that holds gives evidence; the weightiest wins, and at equal weight the kind
 * that comes first in its enumeration.
 *
 * | weight | what |
 * | --- | --- |
 * | 95-100 | the monitor's own mark, where the interface below it is another's: VirtualBox and Firecracker lend KVM's |
 * | 85-90 | what the hypervisor calls itself in CPUID; Hyper-V less, as KVM and Xen lend its interface too |
 * | 70-80 | `/sys/hypervisor`, the device tree, buses and clocks that only one kind has |
 * | 40-65 | DMI and ACPI: strings, which the machine's owner may set |
 * | 10-30 | something of a virtual machine, or of a real one, of no kind |
 */
internal object HypervisorRules {
    private const val CERTAIN = 80
    private const val LIKELY = 40
    private const val CONFLICT = 60

    /** Interfaces that a kind offers beside its own, so that they do not speak against it. */
    private val lends =
        mapOf(
            FIRECRACKER to setOf(KVM),
            VIRTUALBOX to setOf(KVM, HYPER_V),
            KVM to setOf(HYPER_V),
            XEN to setOf(HYPER_V),
            QEMU to setOf(HYPER_V),
        )

    /** The bit of Xen's features that domain 0 alone has (XENFEAT_dom0). */
    private const val DOMAIN_0 = 11

    fun judge(facts: PlatformFacts): Verdict<HypervisorKind> {
        val all = FirmwareRules.of(facts) + processor(facts) + kernel(facts) + devices(facts)
        val sorted = all.sortedWith(compareBy({ -it.weight }, { it.pointsTo }))
        val best = sorted.firstOrNull() ?: return Verdict(UNKNOWN, Confidence.GUESS, emptyList())
        val lent = lends[best.pointsTo].orEmpty() + best.pointsTo + OTHER
        val contradicted = sorted.any { it.weight >= CONFLICT && it.pointsTo !in lent }
        val confidence =
            when {
                best.weight >= CERTAIN && !contradicted -> Confidence.CERTAIN
                best.weight >= LIKELY -> Confidence.LIKELY
                else -> Confidence.GUESS
            }
        return Verdict(best.pointsTo, confidence, sorted)
    }

    fun isControlDomain(facts: PlatformFacts): Boolean {
        val xen = facts.xen
        val features = xen.features?.let { it shr DOMAIN_0 and 1 == 1L }
        return features ?: ("control_d" in xen.capabilities.orEmpty()) || facts.cpuid?.hyperVRoot == true
    }

    private fun processor(facts: PlatformFacts) = buildList {
        facts.cpuid?.let { cpuid ->
            for ((leaf, signature) in cpuid.signatures) add(signature("CPUID leaf $leaf", signature))
            if (!cpuid.hypervisorBit) add("CPUID leaf 1", "the hypervisor bit is clear", BARE_METAL, 30)
        }
        val cpu = facts.cpu ?: return@buildList
        val model = cpu.model.orEmpty()
        if (model.startsWith("QEMU")) add(CPUINFO, "the model is \"$model\"", QEMU, 30)
        if (model.startsWith("Common KVM")) add(CPUINFO, "the model is \"$model\"", KVM, 40)
        if ("hypervisor" in cpu.flags)
            add(CPUINFO, "the flag hypervisor is set", OTHER, 20)
        else if (cpu.hasFlags && facts.architecture in X86)
            add(CPUINFO, "there is no flag hypervisor", BARE_METAL, 15)
    }

    private fun signature(source: String, signature: String): Evidence<HypervisorKind> {
        val kind = SIGNATURES.entries.firstOrNull { signature.startsWith(it.key) }?.value ?: OTHER
        return Evidence(source, "calls itself \"$signature\"", kind, if (kind == HYPER_V) 85 else 90)
    }

    private fun kernel(facts: PlatformFacts) = buildList {
        facts.xen.type?.let { add("/sys/hypervisor/type", "is \"$it\"", if (it == "xen") XEN else OTHER, 80) }
        facts.xen.capabilities?.let { add("/proc/xen/capabilities", "is there: \"$it\"", XEN, 75) }
        for (clock in facts.clocks) {
            val (kind, weight) = CLOCKS.entries.firstOrNull { clock.startsWith(it.key) }?.value ?: continue
            add("clocks", "$clock is offered", kind, weight)
        }
        if (facts.release.orEmpty().contains("microsoft", ignoreCase = true))
            add("/proc/sys/kernel/osrelease", "${facts.release} is the kernel of WSL", HYPER_V, 60)
        val options = facts.commandLine
        // Firecracker puts its first device here, in pages; QEMU's microvm puts 512 bytes elsewhere.
        val devices = options.filter { it.first == "virtio_mmio.device" }
        if (devices.any { it.second.orEmpty().startsWith("4K@0xd") })
            add(COMMAND_LINE, "virtio_mmio.device=${devices.first().second} is Firecracker's place", FIRECRACKER, 95)
        else if (devices.isNotEmpty())
            add(COMMAND_LINE, "virtio_mmio.device: a machine of virtio devices without a bus", OTHER, 20)
        val usual = listOf("reboot" to "k", "pci" to "off").filter { it in options }
        if (usual.isNotEmpty() && facts.dmi.isEmpty() && (devices.isNotEmpty() || facts.virtio.isNotEmpty()))
            add(COMMAND_LINE, "${usual.joinToString(" ") { (name, value) -> "$name=$value" }}, no DMI", FIRECRACKER, 35)
    }

    private fun devices(facts: PlatformFacts) = buildList {
        for ((what, where) in facts.paravirtual) {
            val kind = DRIVERS.entries.firstOrNull { what.startsWith(it.key) }?.value ?: continue
            add(where, "has $what", kind, 70)
        }
        for ((maker, rule) in MAKERS) {
            val device = facts.pci.firstOrNull { it.startsWith(maker) } ?: continue
            add("/sys/bus/pci/devices", "$device is a device of its own", rule.first, rule.second)
        }
        if (facts.virtio.isNotEmpty()) {
            val buses = facts.virtio.values.toSortedSet().joinToString(" and ")
            // Light, as there are real cards that speak virtio.
            add("/sys/bus/virtio/devices", "${facts.virtio.size} virtio devices on $buses", OTHER, 12)
        }
    }

    private const val CPUINFO = "/proc/cpuinfo"
    private const val COMMAND_LINE = "/proc/cmdline"
    private val VMWARE = HypervisorKind.VMWARE
    val X86: Set<String> = setOf("amd64", "x86_64", "i386", "x86")

    /** CPUID has twelve bytes for it; Linux' own KVM pads with NUL. */
    private val SIGNATURES =
        mapOf(
            "TCGTCGTCGTCG" to QEMU,
            "KVMKVMKVM" to KVM,
            "Linux KVM Hv" to KVM,
            "VMwareVMware" to VMWARE,
            "XenVMMXenVMM" to XEN,
            "VBoxVBoxVBox" to VIRTUALBOX,
            "Microsoft Hv" to HYPER_V,
        )

    private val CLOCKS =
        mapOf(
            "kvm-clock" to (KVM to 70),
            "KVM virtual PTP" to (KVM to 70),
            "xen" to (XEN to 70),
            "hyperv_clocksource" to (HYPER_V to 60),
            "hyperv" to (HYPER_V to 65),
        )

    /** PCI vendors, Xen's with its platform device. */
    private val MAKERS =
        mapOf(
            "80ee:" to (VIRTUALBOX to 95),
            "15ad:" to (VMWARE to 70),
            "5853:0001" to (XEN to 70),
            "1414:" to (HYPER_V to 65),
        )

    private val DRIVERS =
        mapOf(
            "vmw_pvscsi" to VMWARE,
            "vmxnet3" to VMWARE,
            "vmbus" to HYPER_V,
            "vbd" to XEN,
            "vif" to XEN,
            "vboxguest" to VIRTUALBOX,
        )
}

internal fun <K : Enum<K>> MutableList<Evidence<K>>.add(source: String, finding: String, kind: K, weight: Int) {
    add(Evidence(source, finding, kind, weight))
}
