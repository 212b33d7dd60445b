package dev.arraywright.hardware.memory.figures

import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.nio.file.Path

class MemoryCgroupSpec : StringSpec({
    fun Path.lineage(
        version: Int,
    ) = MemoryCgroup.lineage(version, SystemTree(resolve("proc")), SystemTree(resolve("sys")))

    fun written(cgroup: String, mount: String, vararg more: String) = TreeFixture.write(
        listOf("proc/self/cgroup = $cgroup\\n", "proc/self/mountinfo = $mount\\n", *more),
    )

    "a service is below its slice, up to the top, and each has its limits" {
        val lineage = TreeFixture.of("kvm").lineage(2)
        lineage.absence.shouldBeNull()
        lineage.isRoot shouldBe false
        lineage.cgroups.map { it.path } shouldBe listOf(
            "fs/cgroup/store.slice/arraywright.service",
            "fs/cgroup/store.slice",
            "fs/cgroup",
        )
        lineage.cgroups.map { it.tightest() } shouldBe listOf(1L shl 30, 768L shl 20, null)
        lineage.cgroups.map { it.current() } shouldBe listOf(600L shl 20, 700L shl 20, null)
        lineage.cgroups[1].spare() shouldBe (200L shl 20)
    }

    "on a hybrid machine memory is where v1 has it, and no limit is a huge one" {
        val root = TreeFixture.of("firecracker")
        root.lineage(1).cgroups.map { it.path } shouldBe
            listOf("fs/cgroup/memory/process_api/0605356c", "fs/cgroup/memory/process_api", "fs/cgroup/memory")
        root.lineage(1).cgroups.map { it.tightest() } shouldBe listOf(null, null, null)
        root.lineage(1).own!!.current() shouldBe (2L shl 30)
        root.lineage(1).own!!.spare() shouldBe (1L shl 30)
        root.lineage(2).isRoot shouldBe true
    }

    "a container sees its own cgroup at the top, with and without a namespace of its own" {
        val host = "1 2 0:3 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw"
        written("0::/docker/abc", host, "sys/fs/cgroup/memory.max = 4096\\n").lineage(2).own!!.max() shouldBe 4096
        written("0::/docker/abc/x", host, "sys/fs/cgroup/x/").lineage(2).own!!.path shouldBe "fs/cgroup/x"
        val own = "1 2 0:3 / /sys/fs/cgroup ro - cgroup2 cgroup rw"
        written("0::/", own, "sys/fs/cgroup/memory.max = 8192\\n").lineage(2).own!!.max() shouldBe 8192
    }

    "it says why there is none" {
        TreeFixture.of("container").lineage(2).absence shouldBe "cgroup v2 is not mounted"
        TreeFixture.of("container").lineage(1).absence shouldBe "the process is in no cgroup v1"
        val mount = "1 2 0:3 / /sys/fs/cgroup rw - cgroup2 c rw"
        written("0::/../x", mount, "sys/fs/cgroup/").lineage(2).absence!! shouldContain "outside"
        written("0::/", mount).lineage(2).absence!! shouldContain "there is no"
        written("0::/", mount.replace("/sys/fs", "/mnt")).lineage(2).absence!! shouldContain "/mnt/cgroup"
        written("garbage", mount).lineage(2).absence shouldBe "the process is in no cgroup v2"
        written("0::/", "garbage").lineage(2).absence shouldBe "cgroup v2 is not mounted"
        written("", mount).lineage(2).absence shouldBe "the kernel's list of cgroups is empty"
        TreeFixture.write(emptyList()).lineage(2).absence!! shouldContain "there is no"
    }

    "a line that is not understood costs none of the limits that the others tell" {
        val mounts = "garbage\\n1 2 0:3 / /sys/fs/cgroup rw - cgroup2 c rw\\n1 2 0:4"
        val limit = "sys/fs/cgroup/memory.max = 4096\\n"
        written("garbage\\n-1::/x\\n0::/\\n7:y", mounts, limit).lineage(2).own!!.max() shouldBe 4096
        val v1 = "1 2 0:3 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\\n"
        val old = "sys/fs/cgroup/memory/memory.limit_in_bytes = 8192\\n"
        written("99999999999:cpu:/\\n4:memory:/", mounts + "\\n" + v1, old).lineage(1).own!!.max() shouldBe 8192
    }
})
