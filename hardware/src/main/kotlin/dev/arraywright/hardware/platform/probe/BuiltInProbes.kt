package dev.arraywright.hardware.platform.probe

import dev.arraywright.hardware.linux.Cpuid
import dev.arraywright.hardware.platform.CapabilityProbe
import dev.arraywright.hardware.platform.HypervisorDetector
import dev.arraywright.hardware.tree.SystemTree
import java.nio.file.Path

/** What the registry knows from the start. */
internal class BuiltInProbes(
    root: Path,
    cpuid: Cpuid?,
    ioUring: KernelCall,
    landlock: KernelCall,
    detector: HypervisorDetector,
) {
    private val sys = SystemTree(root.resolve("sys"))
    private val proc = SystemTree(root.resolve("proc"))
    private val cgroups = Cgroups(SystemTree(root), proc)

    /** Those that read a few files each, and may be looked at again every minute. */
    val cheap: Map<String, CapabilityProbe> =
        mapOf(
            NumaProbe.NAME to NumaProbe(sys),
            NvmeProbe.NAME to NvmeProbe(sys),
            BalloonProbe.NAME to BalloonProbe(sys),
            PsiProbe.NAME to PsiProbe(proc, cgroups),
            CgroupProbe.NAME to CgroupProbe(cgroups, proc),
            HugePagesProbe.NAME to HugePagesProbe(sys),
        )

    val others: Map<String, CapabilityProbe> =
        buildMap {
            put(IoUringProbe.NAME, IoUringProbe(proc, ioUring))
            put(LandlockProbe.NAME, LandlockProbe(sys, landlock))
            for (feature in CpuFeature.entries) put(feature.capability, CpuProbe(feature, proc, cpuid))
            put(HypervisorProbe.NAME, HypervisorProbe(detector))
        }

    companion object {
        /** For the machine that this process runs on. */
        fun native(): BuiltInProbes =
            BuiltInProbes(Path.of("/"), Cpuid.native, KernelCall.IO_URING, KernelCall.LANDLOCK, HypervisorDetector())
    }
}
