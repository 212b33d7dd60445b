package dev.arraywright.hardware.platform

/** What the machine runs on. */
public enum class HypervisorKind {
    BARE_METAL,
    KVM,
    VMWARE,
    HYPER_V,
    XEN,
    VIRTUALBOX,
    FIRECRACKER,

    /** QEMU that emulates the processor in software. */
    QEMU,

    /** A virtual machine of another or of an unknown kind. */
    OTHER,

    /** Nothing told. */
    UNKNOWN,
}

/** What container this process runs in, if it does. */
public enum class ContainerKind {
    NONE,
    DOCKER,
    PODMAN,
    CONTAINERD,
    LXC,
    SYSTEMD_NSPAWN,
    KUBERNETES,
    WSL,

    /** A container of another or of an unknown kind. */
    OTHER,

    /** Nothing told. */
    UNKNOWN,
}

/** How sure a [Verdict] is. */
public enum class Confidence {
    /** Only hints. */
    GUESS,

    /** Something that is usually right, or what is nearly certain with evidence against it. */
    LIKELY,

    /** The platform says so itself, and nothing contradicts it. */
    CERTAIN,
}

/**
 * One thing that was found.
 *
 * @property source where it was read
 * @property finding what was there, and what that means
 * @property weight how much it counts, from 1 to 100: see the rules
 */
public data class Evidence<K : Enum<K>>(val source: String, val finding: String, val pointsTo: K, val weight: Int) {
    /** One line, for people. */
    override fun toString(): String = "$pointsTo ($weight) by $source: $finding"
}

/** A conclusion with all of the evidence, weightiest first, also what spoke against it. */
public data class Verdict<K : Enum<K>>(val kind: K, val confidence: Confidence, val evidence: List<Evidence<K>>)

/**
 * What the machine is.
 *
 * @property machine the hypervisor, or none
 * @property runtime the container runtime, which is apart from it
 * @property controlDomain whether this is the domain that drives the hardware for a hypervisor below it: Xen's domain 0
 *   or Hyper-V's root partition
 * @property unread what could not be looked at, and why
 */
public data class Platform(
    val machine: Verdict<HypervisorKind>,
    val runtime: Verdict<ContainerKind>,
    val controlDomain: Boolean,
    val unread: List<String>,
) {
    /** What the machine runs on. */
    public val hypervisor: HypervisorKind get() = machine.kind

    /** What container this process runs in. */
    public val container: ContainerKind get() = runtime.kind

    /** Whether the hardware that is seen is a virtual machine's. */
    public val isVirtualMachine: Boolean
        get() = hypervisor != HypervisorKind.BARE_METAL && hypervisor != HypervisorKind.UNKNOWN && !controlDomain

    /** Everything, on several lines. */
    public fun describe(): String =
        buildString {
            append("hypervisor $hypervisor (${machine.confidence})")
            appendLine(if (controlDomain) ", its control domain" else "")
            for (each in machine.evidence) appendLine("  $each")
            appendLine("container $container (${runtime.confidence})")
            for (each in runtime.evidence) appendLine("  $each")
            for (each in unread) appendLine("not read: $each")
        }
}
