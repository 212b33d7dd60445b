package dev.arraywright.hardware.platform.facts

/**
 * What was read of the machine, before anything is concluded from it; absent is what could not be read.
 *
 * @property cpu `/proc/cpuinfo`
 * @property dmi `/sys/class/dmi/id` by the names of its files
 * @property acpi OEM ids of ACPI tables, with the table's name
 * @property hypervisorNode `compatible` of the device tree's node `hypervisor`
 * @property deviceTree `compatible` and `model` of its root
 * @property virtio virtio devices on the bus that they were found on: `pci` or `mmio`
 * @property paravirtual devices and drivers of a hypervisor's own, by the bus or driver they were found at
 * @property pci vendor and device ids as `15ad:07a0`
 * @property clocks clock sources that the kernel could use, and the names of PTP clocks
 */
internal data class PlatformFacts(
    val architecture: String? = null,
    val cpuid: CpuidFacts? = null,
    val cpu: CpuInfo? = null,
    val dmi: Map<String, String> = emptyMap(),
    val acpi: Map<String, String> = emptyMap(),
    val hypervisorNode: List<String> = emptyList(),
    val deviceTree: List<String> = emptyList(),
    val xen: XenFacts = XenFacts(),
    val virtio: Map<String, String> = emptyMap(),
    val paravirtual: Map<String, String> = emptyMap(),
    val pci: Set<String> = emptySet(),
    val clocks: Set<String> = emptySet(),
    val commandLine: List<Pair<String, String?>> = emptyList(),
    val release: String? = null,
    val container: ContainerFacts = ContainerFacts(),
    val unread: List<String> = emptyList(),
)

/**
 * @property hypervisorBit leaf 1 ECX bit 31, which real processors leave clear
 * @property signatures the vendor of each hypervisor interface from leaf 0x40000000 on, every 0x100
 * @property hyperVRoot whether Hyper-V lets this partition manage processors, as it does the root alone
 */
internal data class CpuidFacts(
    val hypervisorBit: Boolean,
    val signatures: Map<String, String> = emptyMap(),
    val hyperVRoot: Boolean = false,
)

/**
 * @property type `/sys/hypervisor/type`
 * @property features the bits of `/sys/hypervisor/properties/features`
 * @property capabilities `/proc/xen/capabilities`, which has `control_d` in domain 0
 */
internal data class XenFacts(val type: String? = null, val features: Long? = null, val capabilities: String? = null)

/**
 * What tells of a container.
 *
 * @property readable whether there was a `/proc` to look at
 * @property marks files that runtimes leave, with their text
 * @property environment variables that tell, with whose they are: `1` or `self`
 * @property cgroups control group paths of process 1 and of this one
 * @property mounts sources of what is mounted where a runtime mounts its own files
 * @property root file system type of `/`
 * @property namespace number of the process namespace; the first one's never changes
 */
internal data class ContainerFacts(
    val readable: Boolean = false,
    val marks: Map<String, String> = emptyMap(),
    val environment: Map<String, String> = emptyMap(),
    val cgroups: Map<String, String> = emptyMap(),
    val mounts: Map<String, String> = emptyMap(),
    val root: String? = null,
    val namespace: Long? = null,
    val release: String? = null,
)
