package dev.arraywright.hardware.platform.probe

import dev.arraywright.hardware.linux.Cpuid
import dev.arraywright.hardware.linux.CpuidLeaf
import dev.arraywright.hardware.platform.Capability
import dev.arraywright.hardware.platform.CapabilityProbe
import dev.arraywright.hardware.platform.facts.CpuInfo
import dev.arraywright.hardware.platform.facts.CpuInfoParser
import dev.arraywright.hardware.tree.SystemTree

/**
 * A feature of the processor. What counts is `/proc/cpuinfo`, since the kernel has to save a feature's registers before
 * a program may use it; CPUID is a second opinion, which tells why a feature is absent.
 *
 * @property flag x86's name in cpuinfo
 * @property arm the name of ARM's counterpart, if it has one
 * @property family what the names of the feature's extensions begin with
 */
internal enum class CpuFeature(
    val capability: String,
    val flag: String,
    val arm: String?,
    val family: String,
    private val bit: (CpuidLeaf) -> Int,
) {
    AVX2("avx2", "avx2", null, "avx2", { it.ebx ushr 5 }),
    AVX512("avx512", "avx512f", null, "avx512", { it.ebx ushr 16 }),
    GFNI("gfni", "gfni", null, "gfni", { it.ecx ushr 8 }),
    VAES("vaes", "vaes", null, "vaes", { it.ecx ushr 9 }),
    SHA("sha", "sha_ni", "sha2", "sha", { it.ebx ushr 29 }),
    ;

    /** What CPUID says; null if it cannot be asked. */
    fun asked(cpuid: Cpuid?): Boolean? {
        val last = cpuid?.leaf(0, 0)?.eax ?: return null
        if (last.toUInt() < EXTENDED_FEATURES.toUInt()) return false
        return cpuid.leaf(EXTENDED_FEATURES, 0)?.let { bit(it) and 1 == 1 }
    }

    private companion object {
        const val EXTENDED_FEATURES = 7
    }
}

/** Looks for one [feature]. */
internal class CpuProbe(private val feature: CpuFeature, private val proc: SystemTree, private val cpuid: Cpuid?) :
    CapabilityProbe {
    override suspend fun look(): Capability {
        val text = proc.text("cpuinfo") ?: return absent(proc.why("cpuinfo") ?: "/proc/cpuinfo is empty")
        val cpu = CpuInfoParser.parse(text)
        if (!cpu.hasFlags) return absent("/proc/cpuinfo lists no features of this processor")
        val asked = feature.asked(cpuid)
        val details = buildMap {
            cpu.model?.let { put("model", it) }
            put("flags", cpu.flags.filter { it.startsWith(feature.family) }.sorted().joinToString(" "))
            asked?.let { put("cpuid", if (it) "yes" else "no") }
        }.filterValues(String::isNotEmpty)
        return if (feature.flag in cpu.flags || feature.arm in cpu.flags)
            Capability.present(feature.capability, details)
        else
            Capability.absent(feature.capability, reason(cpu, asked), details)
    }

    private fun reason(cpu: CpuInfo, asked: Boolean?): String =
        when {
            "fpu" !in cpu.flags && feature.arm == null -> "only x86 processors have ${feature.flag}; " + vectors(cpu)
            "fpu" !in cpu.flags -> "the processor's features lack ${feature.arm}"
            asked == true -> "the processor has ${feature.flag}, but the kernel does not let programs use it"
            asked == false -> "neither the processor nor what emulates it has ${feature.flag}"
            else -> "the flags in /proc/cpuinfo lack ${feature.flag}"
        }

    private fun vectors(cpu: CpuInfo): String {
        val own = cpu.flags.filter { it == "asimd" || it.startsWith("sve") }
        return if (own.isEmpty()) "this is none" else "this one has ${own.joinToString(" ")}"
    }

    private fun absent(why: String) = Capability.absent(feature.capability, why)
}
