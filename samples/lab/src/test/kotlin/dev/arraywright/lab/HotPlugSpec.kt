package dev.arraywright.lab

import dev.arraywright.kernel.event.Topic
import dev.arraywright.spi.testing.Peers
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldContainInOrder
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/** [HotPlugProgram] runs in the guest once; here is read what its kernel told, in order. */
class HotPlugSpec : StringSpec({
    Peers.missing("python3", "qemu-system-x86_64", "mdadm")
    val lab = Lab()
    afterSpec { lab.close() }
    var log = emptyList<String>()

    fun phase(name: String): List<String> =
        log.dropWhile { it != "PHASE $name" }.drop(1).takeWhile { !it.startsWith("PHASE") }

    fun List<String>.events() = filter { it.startsWith("EVENT ") }.map { it.split(' ')[2] }

    fun List<String>.message(topic: Topic) =
        first { it.startsWith("EVENT ") && it.split(' ')[2] == topic.name }.substringAfter(": ")

    val failover = listOf("FAILOVER_STARTED", "REBUILD_STARTED", "REBUILD_COMPLETE", "ARRAY_RECOVERED")

    "the guest boots, and the program gets through" {
        log = lab.run("HotPlugProgram", heap = "384m", script = "hotplug.sh")
    }

    "a drive unplugged under writes fails over to the spare that is plugged in later, told in order" {
        val told = phase("unplugged under writes")
        told.events().filter { it == "HARDWARE_REMOVED" || it == "DEVICE_FAILED" }.toSet().size shouldBe 2
        told.events() shouldContainInOrder
            listOf("DEVICE_FAILED", "ARRAY_DEGRADED", "SPARE_EXHAUSTED", "HARDWARE_ADDED", "SPARE_ADDED") + failover
        told.events() shouldContainInOrder listOf("HARDWARE_REMOVED", "HARDWARE_ADDED")
        told.message(Topic.DEVICE_FAILED) shouldContain "LAB0001"
        told.message(Topic.FAILOVER_STARTED) shouldContain "SPARE004"
    }

    "all bytes are there, also those written meanwhile" {
        val equal = log.first { it.startsWith("EQUAL after the failover") }
        equal.substringAfter("bytes, ").substringBefore(' ').toInt() shouldBeGreaterThan 10
        log.filter { it.startsWith("EQUAL") }.size shouldBe 3
    }

    "the drive that is plugged in again is told as returned, its place taken" {
        phase("plugged in again").events() shouldContainInOrder listOf("HARDWARE_ADDED", "DEVICE_RETURNED")
        val message = phase("plugged in again").message(Topic.DEVICE_RETURNED)
        message shouldContain "LAB0001"
        message shouldContain "SPARE004 has its place"
    }

    "an idle array notices by hot-plug alone" {
        val told = phase("unplugged while idle")
        told.events().take(4) shouldBe
            listOf("HARDWARE_REMOVED", "DEVICE_FAILED", "ARRAY_DEGRADED", "SPARE_EXHAUSTED")
        told.message(Topic.DEVICE_FAILED) shouldContain "LAB0002"
        told.message(Topic.DEVICE_FAILED) shouldContain "it was unplugged"
        told.events() shouldContainInOrder listOf("SPARE_ADDED") + failover
    }

    "the kernel's md finds the same bytes on the three drives, and no mismatch" {
        log.first {
            it.startsWith("MD ")
        } shouldBe log.first { it.startsWith("CONTENT ") }.replace("CONTENT", "MD") + " 0"
    }
})
