package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.device.scratchFile
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import dev.arraywright.hardware.health.stoppedClock
import dev.arraywright.hardware.health.target
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf

/** Real drives are asked in the lab; here is what is none. */
class NvmeHealthProbeSpec : StringSpec({
    val probe = NvmeHealthProbe(stoppedClock)

    "a device of another kind is not asked" {
        probe.read(target("sda", HealthTarget.Kind.ATA)) shouldBe ProbeAnswer.Absent("not an NVMe device")
    }

    "a file that takes no NVMe command is absent" {
        val file = scratchFile(4096)
        val answer = probe.read(target("nvme0n1", path = "$file")).shouldBeInstanceOf<ProbeAnswer.Absent>()
        answer.reason shouldContain "errno 25"
    }

    "a drive that has gone has failed" {
        val answer = probe.read(target("nvme9n9")).shouldBeInstanceOf<ProbeAnswer.Failed>()
        answer.reason shouldContain "/dev/nvme9n9"
    }
})
