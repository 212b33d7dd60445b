package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.health.HealthReading
import dev.arraywright.hardware.health.HealthSource
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import dev.arraywright.hardware.health.epoch
import dev.arraywright.hardware.health.stoppedClock
import dev.arraywright.hardware.health.target
import dev.arraywright.hardware.tree.SystemTree
import dev.arraywright.hardware.tree.TreeFixture
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.kotest.property.Arb
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll
import java.nio.file.Path
import kotlin.time.Duration.Companion.milliseconds

class KernelCounterProbeSpec : StringSpec({
    val server = KernelCounterProbe(SystemTree(TreeFixture.of("server").resolve("sys")), stoppedClock)
    val kernel = HealthReading(epoch, setOf(HealthSource.KERNEL))

    "the SCSI layer counts in hexadecimal" {
        server.read(target("sda", HealthTarget.Kind.SCSI)) shouldBe ProbeAnswer.Read(
            kernel.copy(ioErrors = 0, ioTimeouts = 0, inFlight = 2, state = "running"),
        )
        server.read(target("sdb", HealthTarget.Kind.SCSI)) shouldBe ProbeAnswer.Read(
            kernel.copy(ioErrors = 31, ioTimeouts = 2, inFlight = 0, state = "offline"),
        )
    }

    "an NVMe controller has a state" {
        server.read(target("nvme0n1")) shouldBe ProbeAnswer.Read(kernel.copy(inFlight = 7, state = "live"))
        server.read(target("nvme1n1")) shouldBe ProbeAnswer.Read(kernel.copy(inFlight = 0, state = "dead"))
    }

    "a device that is not there is absent, as all are without /sys" {
        server.read(target("sdz")).shouldBeInstanceOf<ProbeAnswer.Absent>().reason shouldContain "there is no"
        val none = KernelCounterProbe(SystemTree(Path.of("/nowhere/sys")), stoppedClock)
        none.read(target("sda")).shouldBeInstanceOf<ProbeAnswer.Absent>()
    }

    "controllers are named in their namespaces' names" {
        KernelCounterProbe.controller("nvme12n3") shouldBe "nvme12"
        KernelCounterProbe.controller("nvme0c1n1") shouldBe "nvme0"
        KernelCounterProbe.controller("nvmexn1").shouldBeNull()
        KernelCounterProbe.controller("sda").shouldBeNull()
    }

    "any text is a count or none" {
        KernelCounterProbe.number("-5").shouldBeNull()
        KernelCounterProbe.number("0x-5").shouldBeNull()
        checkAll(1000, Arb.string(0..40)) { text ->
            (KernelCounterProbe.number(text) ?: 0) shouldBe (KernelCounterProbe.number(text)?.coerceAtLeast(0) ?: 0)
            KernelCounterProbe.inFlight(text)
            KernelCounterProbe.number("0x$text")
        }
    }

    "an array tells its latency, if one uses the device" {
        val probe = ArrayLatencyProbe(stoppedClock) { if (it.id == "sda") 3.milliseconds else null }
        probe.read(target("sda")) shouldBe
            ProbeAnswer.Read(HealthReading(epoch, setOf(HealthSource.ARRAY), latency = 3.milliseconds))
        probe.read(target("sdb")) shouldBe ProbeAnswer.Absent("no array uses the device")
    }
})
