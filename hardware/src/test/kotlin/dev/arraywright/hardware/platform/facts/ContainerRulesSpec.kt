package dev.arraywright.hardware.platform.facts

import dev.arraywright.hardware.platform.Confidence
import dev.arraywright.hardware.platform.ContainerKind
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe

class ContainerRulesSpec : StringSpec({
    val first = 4026531836L

    "an image that was unpacked as a machine's root is no container, whatever it brought along" {
        val found = ContainerRules.judge(ContainerFacts(true, mapOf("/.dockerenv" to ""), namespace = first))
        found.kind shouldBe ContainerKind.NONE
        found.confidence shouldBe Confidence.LIKELY
        found.evidence.size shouldBe 2
    }

    "a container that shares the machine's processes is one by its mounts" {
        val mounts = mapOf("/var/lib/docker/containers/12ab/hosts of /dev/sda1" to "/etc/hosts")
        val facts = ContainerFacts(true, mapOf("/.dockerenv" to ""), mounts = mounts, namespace = first)
        ContainerRules.judge(facts).kind shouldBe ContainerKind.DOCKER
    }

    "each runtime is known by what it tells" {
        fun told(by: String) = ContainerRules.judge(ContainerFacts(true, mapOf("/run/systemd/container" to by))).kind
        told("lxc-libvirt") shouldBe ContainerKind.LXC
        told("systemd-nspawn") shouldBe ContainerKind.SYSTEMD_NSPAWN
        told("podman") shouldBe ContainerKind.PODMAN
        told("rkt") shouldBe ContainerKind.OTHER
    }

    "each runtime is known by its control groups, of either version" {
        fun at(path: String) =
            ContainerRules.judge(ContainerFacts(true, cgroups = mapOf(path to "/proc/1/cgroup"))).kind
        at("/kubepods.slice/kubepods-burstable.slice/cri-containerd-12ab.scope") shouldBe ContainerKind.KUBERNETES
        at("/system.slice/docker-12ab.scope") shouldBe ContainerKind.DOCKER
        at("/machine.slice/libpod-12ab.scope/container") shouldBe ContainerKind.PODMAN
        at("/lxc.payload.web/init.scope") shouldBe ContainerKind.LXC
        at("/system.slice/ssh.service") shouldBe ContainerKind.NONE
    }

    "WSL is a container of Hyper-V's machine" {
        val release = "5.15.167.4-microsoft-standard-WSL2"
        ContainerRules.judge(ContainerFacts(true, namespace = first, release = release)).kind shouldBe ContainerKind.WSL
        HypervisorRules.judge(PlatformFacts(release = release)).kind.name shouldBe "HYPER_V"
    }

    "another process namespace alone is a container of no kind" {
        val found = ContainerRules.judge(ContainerFacts(true, namespace = first + 600, root = "overlay"))
        found.kind shouldBe ContainerKind.OTHER
    }
})
