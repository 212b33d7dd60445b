package dev.arraywright.hardware.health.probe

import dev.arraywright.hardware.device.scratchDirectory
import dev.arraywright.hardware.health.HealthTarget
import dev.arraywright.hardware.health.ProbeAnswer
import dev.arraywright.hardware.health.resource
import dev.arraywright.hardware.health.stoppedClock
import dev.arraywright.hardware.health.target
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import java.nio.file.Path
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** A script in the place of smartctl: a real process that does what a bad device makes of it. */
class SmartctlProbeSpec : StringSpec({
    val disk = target("sda", HealthTarget.Kind.ATA)

    fun script(body: String): Path = scratchDirectory().resolve("smartctl").also {
        it.writeText("#!/bin/sh\n$body\n")
        it.toFile().setExecutable(true)
    }

    fun says(name: String, exit: Int): Path {
        val answer = scratchDirectory().resolve("answer.json").also { it.writeText(resource("smartctl/$name.json")) }
        return script("cat '$answer'\nexit $exit")
    }

    suspend fun ask(program: Path?, deadline: Duration = 1.minutes, device: HealthTarget = disk) =
        withContext(Dispatchers.IO) { SmartctlProbe(stoppedClock, deadline) { program }.read(device) }

    "it is asked for JSON, and without waking the disk up" {
        val asked = scratchDirectory().resolve("asked")
        ask(script("""echo "$@" >'$asked'; echo "LC_ALL=${'$'}LC_ALL" >>'$asked'"""))
        asked.readText() shouldBe "--json=c -n standby -a /dev/sda\nLC_ALL=C\n"
    }

    "what it says is read, whatever its exit status says of the device's past" {
        ask(says("ata-ssd", 0)).shouldBeInstanceOf<ProbeAnswer.Read>().reading.temperature shouldBe 34
        ask(says("ata-hdd-pending", 0xd8)).shouldBeInstanceOf<ProbeAnswer.Read>().reading.passed shouldBe false
    }

    "bit 3 of the exit status is the device's verdict" {
        ask(says("ata-ssd", 8)).shouldBeInstanceOf<ProbeAnswer.Read>().reading.passed shouldBe false
    }

    "what is no fault of the device is absent: not installed, no SMART, no right, asleep, no such option" {
        ask(null) shouldBe ProbeAnswer.Absent("smartctl is not installed")
        ask(
            says("ata-ssd", 0),
            device = target("vda", HealthTarget.Kind.OTHER),
        ).shouldBeInstanceOf<ProbeAnswer.Absent>()
        ask(says("virtual", 4)) shouldBe ProbeAnswer.Absent("the device does not support SMART")
        for (message in listOf(
            "Smartctl open device: /dev/sda failed: Permission denied",
            "Device is in STANDBY mode, exit(2)",
        )) {
            val said = """{"smartctl":{"messages":[{"string":"$message"}],"exit_status":2}}"""
            ask(script("echo '$said'; exit 2")) shouldBe ProbeAnswer.Absent("smartctl: $message")
        }
        ask(script("""echo '{"smartctl":{"exit_status":1}}'; exit 1""")).shouldBeInstanceOf<ProbeAnswer.Absent>()
    }

    "a device that cannot be opened has failed, as has a program that says nothing, or no JSON" {
        ask(says("open-failed", 2)).shouldBeInstanceOf<ProbeAnswer.Failed>().reason shouldContain "No such device"
        ask(script("exit 4")).shouldBeInstanceOf<ProbeAnswer.Failed>().reason shouldContain "exit status 4"
        ask(script("echo Segmentation fault")).shouldBeInstanceOf<ProbeAnswer.Failed>().reason shouldContain "not JSON"
        ask(Path.of("/nowhere/smartctl")).shouldBeInstanceOf<ProbeAnswer.Failed>()
    }

    "one that floods is killed at the bound" {
        ask(script("yes")).shouldBeInstanceOf<ProbeAnswer.Failed>().reason shouldContain "wrote more than 1048576 bytes"
    }

    "one that hangs is killed at the deadline, with its children" {
        val pid = scratchDirectory().resolve("pid")
        val program = script("sleep 1000 & echo ${'$'}! >'$pid'; wait")
        ask(program, 1.seconds).shouldBeInstanceOf<ProbeAnswer.Failed>().reason shouldContain "not done within 1s"
        ProcessHandle.of(pid.readText().trim().toLong()).ifPresent { it.onExit().join() }
    }

    "one that closes its output and hangs is killed as well" {
        val failed = ask(script("exec sleep 1000 >&-"), 1.seconds).shouldBeInstanceOf<ProbeAnswer.Failed>()
        failed.reason shouldContain "not done within 1s"
    }

    "one whose asker gives up is killed at once" {
        val directory = scratchDirectory()
        val begun = directory.resolve("begun")
        val program = script("echo ${'$'}${'$'} >'$directory/pid'; mv '$directory/pid' '$begun'; exec sleep 1000")
        withContext(Dispatchers.IO) {
            val asking = async { ask(program, 10.minutes) }
            while (!begun.exists()) yield()
            val process = ProcessHandle.of(begun.readText().trim().toLong()).orElse(null).shouldNotBeNull()
            asking.cancelAndJoin()
            process.onExit().join()
        }
    }
})
