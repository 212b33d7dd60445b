package dev.arraywright.hardware.platform

import dev.arraywright.hardware.linux.Cpuid
import dev.arraywright.hardware.linux.CpuidLeaf
import dev.arraywright.hardware.platform.ContainerKind.DOCKER
import dev.arraywright.hardware.platform.ContainerKind.KUBERNETES
import dev.arraywright.hardware.platform.ContainerKind.NONE
import dev.arraywright.hardware.platform.ContainerKind.PODMAN
import dev.arraywright.hardware.platform.HypervisorKind.BARE_METAL
import dev.arraywright.hardware.platform.HypervisorKind.FIRECRACKER
import dev.arraywright.hardware.platform.HypervisorKind.HYPER_V
import dev.arraywright.hardware.platform.HypervisorKind.KVM
import dev.arraywright.hardware.platform.HypervisorKind.QEMU
import dev.arraywright.hardware.platform.HypervisorKind.UNKNOWN
import dev.arraywright.hardware.platform.HypervisorKind.VIRTUALBOX
import dev.arraywright.hardware.platform.HypervisorKind.VMWARE
import dev.arraywright.hardware.platform.HypervisorKind.XEN
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

class HypervisorDetectorSpec : StringSpec({
    fun detect(tree: String, cpuid: Cpuid? = null, environment: Map<String, String> = emptyMap()) =
        HypervisorDetector(TreeFixture.of(tree), cpuid, "not here", environment).detect()

    "each captured machine is told for what it is, without CPUID too" {
        val expected =
            mapOf(
                "server" to (BARE_METAL to NONE),
                "kvm" to (KVM to NONE),
                "firecracker" to (FIRECRACKER to NONE),
                "container" to (BARE_METAL to DOCKER),
                "podman" to (BARE_METAL to PODMAN),
                "vmware" to (VMWARE to NONE),
                "hyperv" to (HYPER_V to NONE),
                "xen" to (XEN to NONE),
                "xen-dom0" to (XEN to NONE),
                "virtualbox" to (VIRTUALBOX to NONE),
                "qemu" to (QEMU to NONE),
                "arm" to (KVM to NONE),
            )
        for ((tree, kinds) in expected) {
            val found = detect(tree)
            withClue("$tree\n${found.describe()}") {
                (found.hypervisor to found.container) shouldBe kinds
                found.controlDomain shouldBe (tree == "xen-dom0")
                found.isVirtualMachine shouldBe (found.hypervisor != BARE_METAL && tree != "xen-dom0")
                found.machine.evidence.shouldNotBeEmpty()
                found.machine.evidence.map { -it.weight } shouldBe found.machine.evidence.map { -it.weight }.sorted()
            }
        }
    }

    "CPUID's signature decides between QEMU's emulation and what accelerates it" {
        detect("qemu", FakeCpuid("TCGTCGTCGTCG")).machine.confidence shouldBe Confidence.CERTAIN
        detect("qemu", FakeCpuid("KVMKVMKVM")).hypervisor shouldBe KVM
        // Hyper-V's interface, lent to a Windows guest, with the lender's own after it.
        val lent = detect("qemu", FakeCpuid("Microsoft Hv", "KVMKVMKVM"))
        lent.hypervisor shouldBe KVM
        lent.machine.confidence shouldBe Confidence.CERTAIN
        lent.machine.evidence.map { it.pointsTo } shouldContain HYPER_V
        detect("virtualbox", FakeCpuid("KVMKVMKVM")).machine.confidence shouldBe Confidence.CERTAIN
    }

    "conflicting evidence lowers the confidence, and is kept" {
        val odd = detect("vmware", FakeCpuid("XenVMMXenVMM"))
        odd.hypervisor shouldBe XEN
        odd.machine.confidence shouldBe Confidence.LIKELY
        odd.machine.evidence.map { it.pointsTo } shouldContain VMWARE
    }

    "leaves beyond the last are not read where the processor says that there is no hypervisor" {
        val real = Cpuid { leaf, _ -> if (leaf == 1) CpuidLeaf(0, 0, 0, 0) else error("leaf $leaf has nothing") }
        val found = detect("server", real)
        found.hypervisor shouldBe BARE_METAL
        found.machine.evidence.first().source shouldBe "CPUID leaf 1"
    }

    "Hyper-V's root partition drives the hardware itself" {
        val root = FakeCpuid("Microsoft Hv", privileges = 1 shl 12)
        detect("hyperv", root).run {
            controlDomain shouldBe true
            isVirtualMachine shouldBe false
        }
        detect("hyperv", FakeCpuid("Microsoft Hv", privileges = (1 shl 12) or (1 shl 22))).controlDomain shouldBe false
    }

    "Kubernetes is told above the runtime that it uses" {
        val pod = detect("container", environment = mapOf("KUBERNETES_SERVICE_HOST" to "10.0.0.1"))
        pod.container shouldBe KUBERNETES
        pod.runtime.evidence.map { it.pointsTo } shouldContain DOCKER
    }

    "where nothing can be read, that is what it says" {
        val nothing = HypervisorDetector(TreeFixture.write(emptyList()), null, "not here", emptyMap()).detect()
        nothing.hypervisor shouldBe UNKNOWN
        nothing.container shouldBe ContainerKind.UNKNOWN
        nothing.isVirtualMachine shouldBe false
        nothing.machine.evidence.shouldBeEmpty()
        nothing.describe() shouldContain "CPUID: not here"
        nothing.unread.size shouldBe 3
    }
})

/** A processor under hypervisors that call themselves so, one interface after another. */
internal class FakeCpuid(private vararg val signatures: String, private val privileges: Int = 0) : Cpuid {
    override fun leaf(leaf: Int, subleaf: Int): CpuidLeaf? {
        val signature = signatures.getOrNull((leaf - 0x40000000) / 0x100)
        return when {
            leaf == 1 -> CpuidLeaf(0, 0, 1 shl 31, 0)
            leaf == 0x40000003 -> CpuidLeaf(0, privileges, 0, 0)
            leaf < 0x40000000 -> null
            signature == null || leaf and 0xff != 0 -> CpuidLeaf(0, 0, 0, 0)
            else -> CpuidLeaf(0, word(signature, 0), word(signature, 4), word(signature, 8))
        }
    }

    private fun word(text: String, at: Int) =
        (0..3).fold(0) { word, i -> word or ((text.getOrNull(at + i)?.code ?: 0) shl 8 * i) }
}
