package dev.arraywright.hardware.memory.figures

import dev.arraywright.hardware.tree.damaged
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.choice
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll

class FiguresParsersSpec : StringSpec({
    val trees = listOf("server", "kvm", "firecracker", "container")
    val files = listOf("meminfo", "vmstat", "pressure/memory", "self/cgroup", "self/mountinfo", "self/status")
    val pieces =
        listOf("max", "-1", "9223372036854775807", "99999999999999999999", "\n", " ", ":", "", "kB", "\\777", "NaN")
    val mutated = damaged(trees, files.map { "proc/$it" }, pieces)

    "no input throws anything but the parsers' own error" {
        checkAll(3_000, Arb.choice(Arb.string(0..300), mutated)) { text ->
            val parsers = listOf<(String) -> Any?>(
                MeminfoParser::parse,
                PressureParser::parse,
                VmstatParser::balloonPages,
                CgroupParser::limit,
                { CgroupParser.figure(it, "oom_kill") },
            )
            for (parse in parsers) {
                try {
                    parse(text)
                } catch (_: FiguresException) {
                    // That one may be thrown.
                }
            }
        }
    }

    "what is parsed of mutated files is never negative nor more than all" {
        checkAll(2_000, mutated) { text ->
            runCatching { MeminfoParser.parse(text) }.onSuccess {
                it.total shouldBeGreaterThanOrEqual 0
                it.available shouldBeGreaterThanOrEqual 0
            }
            runCatching { VmstatParser.balloonPages(text) }.onSuccess { (it ?: 0) shouldBeGreaterThanOrEqual 0 }
            runCatching { PressureParser.parse(text) }.onSuccess { (it.some.average10 in 0.0..1.0) shouldBe true }
        }
    }

    "meminfo is in bytes, tells of a balloon where the kernel does, and of old kernels an estimate" {
        MeminfoParser.parse("MemTotal: 2 kB\nMemAvailable:   1 kB\nBalloon: 3 kB\nHugePages_Total: 0\n") shouldBe
            Meminfo(2048, 1024, 3072)
        MeminfoParser.parse(
            "MemTotal: 9 kB\nMemFree: 1 kB\nBuffers: 2 kB\nCached: 4 kB",
        ) shouldBe Meminfo(9216, 4096, null)
        shouldThrow<FiguresException> { MeminfoParser.parse("MemTotal: 9 kB\n") }
        shouldThrow<FiguresException> { MeminfoParser.parse("MemAvailable: 9 kB\n") }
        shouldThrow<FiguresException> { MeminfoParser.parse("MemTotal: 9223372036854775807 kB\nMemAvailable: 9 kB") }
    }

    "a pressure file's averages are shares of one" {
        val figures = PressureParser.parse("some avg10=12.50 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.10 total=3")
        figures shouldBe PressureFigures(Stall(0.125, 7), Stall(0.001, 3))
        shouldThrow<FiguresException> { PressureParser.parse("full avg10=0.10 total=3") }
        shouldThrow<FiguresException> { PressureParser.parse("some avg10=NaN total=3") }
    }

    "a balloon holds what it took less what it gave" {
        VmstatParser.balloonPages("a 1\nballoon_inflate 10\nballoon_deflate 4\nballoon_migrate 1\n") shouldBe 6
        VmstatParser.balloonPages("balloon_inflate 10\nballoon_deflate 12\n") shouldBe 0
        VmstatParser.balloonPages("nr_free_pages 1\n").shouldBeNull()
    }

    "a cgroup's limit is none if no machine could reach it" {
        CgroupParser.limit("max\n").shouldBeNull()
        CgroupParser.limit("9223372036854771712\n").shouldBeNull()
        CgroupParser.limit("4096\n") shouldBe 4096
        shouldThrow<FiguresException> { CgroupParser.limit("-1") }
    }

    "a figure is the one of its whole name" {
        CgroupParser.figure("oom 1\noom_kill 2\n", "oom_kill") shouldBe 2
        CgroupParser.figure("oom_kill 2\n", "oom").shouldBeNull()
    }
})
