package dev.arraywright.lab

import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainInOrder
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/** [MachineProgram] runs in the guest once: what the guest is, and the health of its drives. */
class MachineLabSpec : StringSpec({
    Peers.missing("python3", "qemu-system-x86_64")
    val lab = Lab()
    afterSpec { lab.close() }
    var log = emptyList<String>()

    fun line(start: String): String = log.firstOrNull { it.startsWith(start) } ?: error("no $start in $log")

    fun event(topic: String): String =
        log.firstOrNull { it.startsWith("EVENT ") && it.split(' ')[2] == topic } ?: error("no $topic in $log")

    "the guest boots, and the program gets through" {
        log = lab.run("MachineProgram", heap = "256m")
    }

    "it is QEMU's software emulation, by more than one piece of evidence" {
        line("PLATFORM hypervisor") shouldBe "PLATFORM hypervisor QEMU (CERTAIN)"
        line("PLATFORM   QEMU (90) by CPUID") shouldContain "TCGTCGTCGTCG"
        log.filter { it.startsWith("PLATFORM   QEMU") }.size shouldBeGreaterThan 2
    }

    "what it can do is known" {
        for (name in listOf("numa", "nvme", "virtio-balloon")) line("CAPABILITY $name:") shouldContain "available"
        line("TOPOLOGY") shouldBe "TOPOLOGY [0, 1]"
    }

    "each drive's health log is read" {
        for (number in 0..3) {
            val health = line("HEALTH LAB000$number")
            health shouldContain "GOOD"
            health shouldContain "NVME_LOG"
            health shouldContain "temperature=50"
        }
    }

    "a drive that warns of itself is told, also as a member, and a spare takes its place while it still serves" {
        log.filter { it.startsWith("EVENT ") }.map { it.split(' ')[2] } shouldContainInOrder listOf(
            "HARDWARE_HEALTH_WARNING",
            "DEVICE_HEALTH_WARNING",
            "FAILOVER_STARTED",
            "REBUILD_STARTED",
            "REBUILD_COMPLETE",
            "HARDWARE_HEALTH_RECOVERED",
        )
        event("DEVICE_HEALTH_WARNING") shouldContain "LAB0000"
        event("FAILOVER_STARTED") shouldContain "LAB0002"
        log.none { "ARRAY_DEGRADED" in it || "DEVICE_FAILED" in it } shouldBe true
    }
})
