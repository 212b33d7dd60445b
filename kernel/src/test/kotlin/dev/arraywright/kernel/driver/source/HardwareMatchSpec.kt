package dev.arraywright.kernel.driver.source

import dev.arraywright.kernel.driver.DriverInfo
import dev.arraywright.kernel.driver.DriverVersion
import dev.arraywright.kernel.driver.scan.DriverCandidate
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import java.nio.file.Path
import kotlin.random.Random

class HardwareMatchSpec : StringSpec({
    val virtio = HardwareFacts("block", "vda", "pci:v00001AF4d00001042sv00001AF4sd00000002bc01sc00i00")
    val nvme = HardwareFacts("block", "nvme0n1")

    fun driver(name: String, version: String, vararg patterns: String) = DriverCandidate(
        Path.of("$name-$version.jar"),
        DriverInfo(
            name,
            "Serves $name.",
            DriverVersion.parse(version),
            patterns.toList(),
            DriverVersion.PLATFORM,
            true,
            "a.B",
        ),
    )

    "a pattern fits the modalias, or the kind and the name" {
        val fits = mapOf(
            "pci:v00001AF4d*" to listOf(true, false),
            "pci:v00001AF4d00001042sv*sd*bc01sc*i*" to listOf(true, false),
            "pci:v00001AF4d" to listOf(false, false),
            "pci:v00001af4d*" to listOf(false, false),
            "block:nvme*" to listOf(false, true),
            "block:nvme?n?" to listOf(false, true),
            "block:[nv]*[!0-9]" to listOf(true, false),
            "block:nvme[0-9]n[1-4]" to listOf(false, true),
            "block:*" to listOf(true, true),
            "nbd:*" to listOf(false, false),
            "block:nvme0n[" to listOf(false, false),
        )
        for ((pattern, expected) in fits) {
            val info = driver("d", "1.0.0", pattern).info
            (pattern to listOf(virtio, nvme).map { HardwareMatch.fits(it, info) }) shouldBe (pattern to expected)
        }
        HardwareMatch.fits(nvme, driver("d", "1.0.0", "block").info) shouldBe false
    }

    "the most specific pattern wins, then the highest version" {
        val coarse = driver("coarse", "9.0.0", "block:*", "pci:v00001AF4d*")
        val fine = driver("fine", "1.0.0", "pci:v00001AF4d00001042sv*")
        val newer = driver("fine", "1.10.0", "pci:v00001AF4d00001042sv*")
        val wild = driver("wild", "8.0.0", "pci:v*00001AF4d0000*1042sv*")
        HardwareMatch.ranked(virtio, listOf(coarse, fine, wild, newer)) shouldBe listOf(newer, fine, wild, coarse)
        HardwareMatch.best(nvme, listOf(fine, wild)).shouldBeNull()
        HardwareMatch.best(nvme, listOf(fine, coarse)) shouldBe coarse
    }

    fun Random.text(letters: String, most: Int) = String(CharArray(nextInt(most + 1)) { letters.random(this) })

    "the order in which drivers are given does not matter" {
        for (seed in 1..300) {
            val random = Random(seed)
            val all = List(random.nextInt(13)) {
                val pattern = listOf("block", "pci").random(random) + ":" + random.text("av*?", 3) + "*"
                driver("d${random.nextInt(3)}", "1.${random.nextInt(3)}.0", pattern)
            }
            val facts = listOf(virtio, nvme, HardwareFacts("block", "va")).random(random)
            val ranked = HardwareMatch.ranked(facts, all)
            withClue("seed $seed") {
                // Two of one jar are the same driver here, whatever they serve.
                HardwareMatch.ranked(facts, all.shuffled(random)).map { it.jar } shouldBe ranked.map { it.jar }
                ranked.toSet() shouldBe all.filter { HardwareMatch.fits(facts, it.info) }.toSet()
            }
        }
    }

    "a glob agrees with the regular expression of the same meaning, and no pattern takes long" {
        val random = Random(1)
        repeat(5_000) {
            val glob = random.text("ab*?", 8)
            val subject = random.text("abc", 8)
            val regex = glob.map {
                if (it == '*')
                    ".*"
                else if (it == '?')
                    "."
                else
                    it.toString()
            }.joinToString("")
            withClue("$glob and $subject") {
                HardwarePattern(glob).matches(subject) shouldBe Regex(regex).matches(subject)
            }
        }
        HardwarePattern("a*".repeat(100) + "b").matches("a".repeat(20_000)) shouldBe false
    }
})
