package dev.arraywright.hardware.platform

import dev.arraywright.hardware.linux.Cpuid
import dev.arraywright.hardware.linux.SystemCalls
import dev.arraywright.hardware.platform.facts.CpuInfoParser
import dev.arraywright.hardware.platform.probe.CpuFeature
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.Dispatchers
import java.nio.file.Files
import java.nio.file.Path

/** Whatever machine this is: only what is certain of any Linux. Prints what was found. */
class ThisMachineSpec : StringSpec({
    val x86 = System.getProperty("os.name") == "Linux" && System.getProperty("os.arch") == "amd64"
    val flags by lazy { CpuInfoParser.parse(Files.readString(Path.of("/proc/cpuinfo"))).flags }

    "what runs here is told, with evidence".config(enabled = x86) {
        val found = HypervisorDetector().detect()
        println(found.describe())
        found.machine.evidence.shouldNotBeEmpty()
        if ("hypervisor" in flags) found.hypervisor shouldBe found.machine.evidence.first().pointsTo
        withClue(found.describe()) { found.isVirtualMachine shouldBe ("hypervisor" in flags && !found.controlDomain) }
    }

    "CPUID is reached, and agrees with the kernel".config(enabled = x86) {
        val cpuid = withClue(Cpuid.absence) { Cpuid.native.shouldNotBeNull() }
        val bit = cpuid.leaf(1, 0).shouldNotBeNull().ecx ushr 31 == 1
        bit shouldBe ("hypervisor" in flags)
        // What the kernel uses, the processor has; the reverse need not be.
        for (feature in CpuFeature.entries) if (feature.flag in flags) feature.asked(cpuid) shouldBe true
        repeat(1_000) { cpuid.leaf(7, 0) shouldBe cpuid.leaf(7, 0) }
    }

    "the registry agrees with what is read directly".config(enabled = x86) {
        CapabilityRegistry(Dispatchers.Default).use { registry ->
            registry.refresh()
            println(registry.describe())
            registry.has("avx2") shouldBe ("avx2" in flags)
            registry.has("sha") shouldBe ("sha_ni" in flags)
            registry.has("psi") shouldBe runCatching { Files.readString(Path.of("/proc/pressure/cpu")) }.isSuccess
            val abi = SystemCalls.landlockVersion()
            registry["landlock"]!!.details["abi"] shouldBe abi.takeIf { it > 0 }?.toString()
        }
    }

    "a look leaves no descriptor behind".config(enabled = x86) {
        fun open() = Path.of("/proc/self/fd").toFile().list()!!.size
        val before = open()
        repeat(100) { SystemCalls.ioUringFeatures() }
        // Others open and close a few meanwhile.
        open() shouldBeLessThan before + 50
    }
})
