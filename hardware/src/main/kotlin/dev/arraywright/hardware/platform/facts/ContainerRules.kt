package dev.arraywright.hardware.platform.facts

import dev.arraywright.hardware.platform.Confidence
import dev.arraywright.hardware.platform.ContainerKind
import dev.arraywright.hardware.platform.ContainerKind.CONTAINERD
import dev.arraywright.hardware.platform.ContainerKind.DOCKER
import dev.arraywright.hardware.platform.ContainerKind.KUBERNETES
import dev.arraywright.hardware.platform.ContainerKind.LXC
import dev.arraywright.hardware.platform.ContainerKind.NONE
import dev.arraywright.hardware.platform.ContainerKind.OTHER
import dev.arraywright.hardware.platform.ContainerKind.PODMAN
import dev.arraywright.hardware.platform.ContainerKind.SYSTEMD_NSPAWN
import dev.arraywright.hardware.platform.ContainerKind.UNKNOWN
import dev.arraywright.hardware.platform.ContainerKind.WSL
import dev.arraywright.hardware.platform.Verdict

/**
 * From facts to the container runtime; the weightiest evidence wins, as in [HypervisorRules].
 *
 * | weight | what |
 * | --- | --- |
 * | 95 | Kubernetes, which starts the runtime that left its own marks |
 * | 80-90 | what the runtime tells the container on purpose, or shows in paths of control groups and mounts |
 * | 65 | the kernel's first process namespace: no container, whatever files an image brought along |
 * | 60 | such files: an image that was unpacked as a machine's root has `/.dockerenv` too |
 * | 30-40 | a process namespace of its own, a root of layers: of no kind |
 */
internal object ContainerRules {
    fun judge(facts: ContainerFacts): Verdict<ContainerKind> {
        val all = told(facts) + paths(facts) + kernel(facts)
        val sorted = all.sortedWith(compareBy({ -it.weight }, { it.pointsTo }))
        val best = sorted.firstOrNull() ?: return Verdict(UNKNOWN, Confidence.GUESS, emptyList())
        val against = sorted.any { (it.pointsTo == NONE) != (best.pointsTo == NONE) && it.weight >= 60 }
        val confidence =
            when {
                best.weight >= 60 && !against -> Confidence.CERTAIN
                best.weight >= 40 -> Confidence.LIKELY
                else -> Confidence.GUESS
            }
        return Verdict(best.pointsTo, confidence, sorted)
    }

    private fun told(facts: ContainerFacts) = buildList {
        for ((mark, text) in facts.marks) {
            when (mark) {
                "/run/systemd/container" -> add(mark, "says \"$text\"", named(text), 90)
                "/run/.containerenv" -> add(mark, "is there", PODMAN, 75)
                "/.dockerenv" -> add(mark, "is there", DOCKER, 60)
                else -> add(mark, "is there", KUBERNETES, 95)
            }
        }
        for ((variable, value) in facts.environment) {
            if (variable.endsWith("KUBERNETES_SERVICE_HOST"))
                add("environment of $variable", "is \"$value\"", KUBERNETES, 95)
            else
                add("environment of $variable", "is \"$value\"", named(value), 88)
        }
    }

    private fun paths(facts: ContainerFacts) = buildList {
        for ((path, source) in facts.cgroups) {
            of(CGROUPS, path)?.let { (kind, weight) -> add(source, path, kind, weight) }
        }
        for ((mount, target) in facts.mounts) {
            of(MOUNTS, mount)?.let { (kind, weight) -> add("/proc/self/mountinfo", "$target is $mount", kind, weight) }
        }
    }

    private fun kernel(facts: ContainerFacts) = buildList {
        if (facts.release.orEmpty().contains("microsoft", ignoreCase = true))
            add("/proc/sys/kernel/osrelease", "is \"${facts.release}\"", WSL, 80)
        if (facts.namespace == FIRST_NAMESPACE)
            add("/proc/self/ns/pid", "is the kernel's first", NONE, 65)
        else if (facts.namespace != null)
            add("/proc/self/ns/pid", "is not the kernel's first", OTHER, 40)
        if (facts.root == "overlay") add("/proc/self/mountinfo", "the root is an overlay", OTHER, 30)
        if (isEmpty() && facts.readable) add("/proc", "nothing tells of a container", NONE, 10)
    }

    private fun named(runtime: String) =
        NAMES.entries.firstOrNull { runtime.startsWith(it.key) }?.value ?: OTHER

    private fun of(table: List<Triple<String, ContainerKind, Int>>, path: String) =
        table.firstOrNull { it.first in path }?.let { it.second to it.third }

    /** PROC_PID_INIT_INO, the same in every kernel. */
    private const val FIRST_NAMESPACE = 0xeffffffcL

    private val NAMES =
        mapOf(
            "docker" to DOCKER,
            "podman" to PODMAN,
            "lxc" to LXC,
            "systemd-nspawn" to SYSTEMD_NSPAWN,
            "kube" to KUBERNETES,
            "containerd" to CONTAINERD,
            "wsl" to WSL,
        )

    /** In this order: a pod's path names its runtime too. */
    private val CGROUPS =
        listOf(
            Triple("kubepods", KUBERNETES, 95),
            Triple("libpod", PODMAN, 82),
            Triple("docker", DOCKER, 80),
            Triple("containerd", CONTAINERD, 80),
            Triple("lxc", LXC, 80),
            Triple("nspawn", SYSTEMD_NSPAWN, 80),
        )

    private val MOUNTS =
        listOf(
            Triple("/kubelet/pods/", KUBERNETES, 95),
            Triple("/docker/containers/", DOCKER, 80),
            Triple("/overlay-containers/", PODMAN, 80),
            Triple("io.containerd", CONTAINERD, 78),
        )
}
