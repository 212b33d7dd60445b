package dev.arraywright.hardware.platform.probe

import dev.arraywright.hardware.linux.Cpuid
import dev.arraywright.hardware.linux.CpuidLeaf
import dev.arraywright.hardware.linux.Errno
import dev.arraywright.hardware.platform.Capability
import dev.arraywright.hardware.platform.HypervisorDetector
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.maps.shouldContainAll
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotBeBlank
import java.nio.file.Path

class ProbesSpec : StringSpec({
    suspend fun look(
        root: Path,
        cpuid: Cpuid? = null,
        ioUring: Long = -Errno.ENOSYS.toLong(),
        landlock: Long = -Errno.ENOSYS.toLong(),
    ): Map<String, Capability> {
        val detector = HypervisorDetector(root, cpuid, "not here", emptyMap())
        val probes = BuiltInProbes(root, cpuid, KernelCall(null) { ioUring }, KernelCall(null) { landlock }, detector)
        return (probes.cheap + probes.others).mapValues { (_, probe) -> probe.look() }
    }

    fun tree(vararg entries: String) = TreeFixture.write(entries.toList())

    "a machine that has all of it shows it with details" {
        val found = look(TreeFixture.of("qemu"), ioUring = 0x3, landlock = 7)
        found.values.filterNot { it.available }.map { it.name } shouldContainExactlyInAnyOrder
            listOf("avx512", "gfni", "vaes")
        found.getValue("numa").details shouldContainAll mapOf("nodes" to "2", "online" to "0-1", "node1" to "cpus 1")
        found.getValue("nvme").details shouldBe mapOf("nvme0" to "QEMU NVMe Ctrl")
        found.getValue("virtio-balloon").details shouldBe
            mapOf(
                "device" to "virtio1",
                "driver" to "virtio_balloon",
                "features" to "stats deflate-on-oom free-page-reporting",
            )
        found.getValue("psi").details shouldBe
            mapOf(
                "system" to "cpu io memory",
                "cgroup" to "/sys/fs/cgroup/system.slice/array.service/memory.pressure",
            )
        found.getValue("cgroup-v2").details shouldContainAll
            mapOf(
                "mode" to "unified",
                "path" to "/system.slice/array.service",
                "directory" to "/sys/fs/cgroup/system.slice/array.service",
                "controllers" to "cpu io memory pids",
            )
        found.getValue("hugepages").details shouldBe
            mapOf("2048kB" to "total 512 free 500", "1048576kB" to "total 0 free 0", "transparent" to "madvise")
        found.getValue("io_uring").details shouldContainAll mapOf("features" to "single_mmap nodrop", "bits" to "0x3")
        found.getValue("landlock").details shouldBe mapOf("abi" to "7", "lsm" to "capability,landlock")
        found.getValue("hypervisor").details shouldContainAll mapOf("kind" to "QEMU", "container" to "NONE")
    }

    "a place without anything has none of it, each with a reason" {
        for ((name, capability) in look(tree())) {
            withClue(capability) {
                capability.name shouldBe name
                capability.available shouldBe false
                capability.absence.shouldNotBeBlank()
            }
        }
    }

    "a refused call is told from a missing one" {
        suspend fun ring(result: Int, disabled: Int) =
            look(tree("proc/sys/kernel/io_uring_disabled = $disabled"), ioUring = -result.toLong())
                .getValue("io_uring").absence!!
        ring(Errno.ENOSYS, 0) shouldContain "built without"
        ring(Errno.EPERM, 2) shouldContain "switched it off"
        ring(Errno.EPERM, 1) shouldContain "io_uring_group"
        ring(Errno.EPERM, 0) shouldContain "seccomp"
        ring(Errno.EAGAIN, 0) shouldContain "errno 11"
        look(tree(), landlock = -Errno.EOPNOTSUPP.toLong()).getValue("landlock").absence!! shouldContain "lsm="
        val none = KernelCall("unknown architecture sparc") { error("not to be called") }
        LandlockProbe(SystemTree(tree()), none).look().absence shouldBe "unknown architecture sparc"
    }

    "what the kernel lets programs use counts, and CPUID says why it does not" {
        val has = Cpuid { leaf, _ -> if (leaf == 0) CpuidLeaf(28, 0, 0, 0) else CpuidLeaf(0, -1, -1, 0) }
        val old = Cpuid { _, _ -> CpuidLeaf(6, -1, -1, 0) }
        val x86 = tree("proc/cpuinfo = model name : X\\nflags : fpu tsc avx2\\n")
        look(x86).getValue("avx2").available shouldBe true
        look(x86).getValue("gfni").absence!! shouldContain "/proc/cpuinfo lack gfni"
        look(x86, has).getValue("avx512").absence!! shouldContain "the kernel does not let"
        look(x86, has).getValue("avx512").details["cpuid"] shouldBe "yes"
        look(x86, old).getValue("sha").absence!! shouldContain "neither"
        val arm = look(TreeFixture.of("arm"))
        arm.getValue("sha").available shouldBe true
        arm.getValue("avx2").absence!! shouldContain "this one has asimd"
    }

    "devices without a driver are told" {
        val found = look(
            tree(
                "sys/bus/pci/devices/0000:01:00.0/class = 0x010802\\n",
                "sys/bus/virtio/devices/virtio3/device = 0x0005\\n",
                "sys/devices/system/node/node0/cpulist = 0-3\\n",
            ),
        )
        found.getValue("nvme").absence!! shouldContain "0000:01:00.0"
        found.getValue("virtio-balloon").absence!! shouldContain "virtio3"
        found.getValue("numa").absence shouldBe "the machine has one node"
    }

    "control groups: both versions at once, version 1 alone, and a container's part" {
        val one = "proc/self/cgroup = 4:memory:/a\\n1:name=systemd:/a\\n0::/\\n"
        val two = "proc/self/mountinfo = 41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\\n"
        look(tree(one, two, "sys/fs/cgroup/unified/cgroup.procs = 1")).getValue("cgroup-v2").run {
            available shouldBe true
            details shouldContainAll mapOf("mode" to "hybrid", "controllers" to "none", "version 1" to "memory")
        }
        look(tree(one)).getValue("cgroup-v2").absence shouldBe "only version 1 is mounted here"
        look(tree(one, two)).getValue("cgroup-v2").absence!! shouldContain "does not show"
        look(TreeFixture.of("podman")).getValue("cgroup-v2").details["directory"] shouldBe "/sys/fs/cgroup"
        val part = "proc/self/mountinfo = 41 31 0:38 /k/pod1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\\n"
        val inside = tree("proc/self/cgroup = 0::/k/pod1/c\\n", part, "sys/fs/cgroup/c/cgroup.controllers = memory")
        look(inside).getValue("cgroup-v2").details["directory"] shouldBe "/sys/fs/cgroup/c"
    }

    "pressure that was switched off at boot, and huge pages that nobody set aside" {
        look(TreeFixture.of("podman")).getValue("psi").absence shouldBe "it was switched off at boot by psi=0"
        look(
            tree(
                "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages = 0",
                "sys/kernel/mm/transparent_hugepage/enabled = always madvise [never]",
            ),
        ).getValue("hugepages").absence!! shouldContain "transparent ones are never"
    }

    "bare metal is no hypervisor, nor is domain 0, and both say what they went by" {
        look(TreeFixture.of("server")).getValue("hypervisor").run {
            absence shouldBe "this is bare metal"
            details.getValue("evidence") shouldContain "BARE_METAL"
        }
        look(TreeFixture.of("xen-dom0")).getValue("hypervisor").details["control domain"] shouldBe "yes"
    }
})
